// Enough of CUDA C++ for face.cu to be compiled for the CPU: a launch is a loop over its threads.

#include <cmath>
#include <cstring>
#include <algorithm>

#define __global__ static
#define __device__

using std::isfinite;
using std::min;

struct Position {
    unsigned x, y, z;
};

static thread_local Position threadIdx, blockIdx, blockDim;

typedef unsigned short half_bits;

static inline float from_half(half_bits bits) {
    _Float16 value;
    std::memcpy(&value, &bits, sizeof value);
    return (float)value;
}

static inline half_bits to_half(float value) {
    _Float16 rounded = (_Float16)value;
    half_bits bits;
    std::memcpy(&bits, &rounded, sizeof bits);
    return bits;
}

template <typename Parameters>
static void run(void (*kernel)(Parameters), const unsigned* grid, const unsigned* block, const void* bytes) {
    Parameters parameters;
    std::memcpy((void*)&parameters, bytes, sizeof parameters);
    blockDim = {block[0], block[1], block[2]};
    for (blockIdx.z = 0; blockIdx.z < grid[2]; ++blockIdx.z)
        for (blockIdx.y = 0; blockIdx.y < grid[1]; ++blockIdx.y)
            for (blockIdx.x = 0; blockIdx.x < grid[0]; ++blockIdx.x)
                for (threadIdx.z = 0; threadIdx.z < block[2]; ++threadIdx.z)
                    for (threadIdx.y = 0; threadIdx.y < block[1]; ++threadIdx.y)
                        for (threadIdx.x = 0; threadIdx.x < block[0]; ++threadIdx.x) kernel(parameters);
}

#define ON_HOST(name, Parameters)                                                                   \
    extern "C" unsigned long size_of_##name() { return sizeof(Parameters); }                        \
    extern "C" void run_##name(const unsigned* grid, const unsigned* block, const void* bytes) {    \
        run<Parameters>(name, grid, block, bytes);                                                  \
    }
