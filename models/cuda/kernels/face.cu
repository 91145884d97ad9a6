// The picture work on a face, on the device.
//
// Each kernel takes one structure by value, mirrored field by field in parameters.py. Pictures are uint8 BGR;
// coordinates are OpenCV's: whole numbers are the centres of pixels. A block is 32 by 8 threads, a thread one
// pixel, the third dimension of the grid the picture of a batch. Includes nothing, so that NVRTC needs no headers.

typedef unsigned char u8;
typedef unsigned short half_bits;

#define MOST_FACES 16
#define MOST_MASKS 8

#ifdef __CUDACC__
__device__ static inline float from_half(half_bits bits) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
}

__device__ static inline half_bits to_half(float value) {
    half_bits bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
}
#endif

__device__ static inline int column() { return blockIdx.x * blockDim.x + threadIdx.x; }
__device__ static inline int row() { return blockIdx.y * blockDim.y + threadIdx.y; }

// Ties to even, as cvRound; what lies beyond is cut. What is not a number becomes 0.
__device__ static inline u8 to_u8(float value) { return (u8)rintf(fminf(fmaxf(value, 0.0f), 255.0f)); }

__device__ static inline int within(int index, int size) { return index < 0 ? 0 : index < size ? index : size - 1; }

// Where a point lies between four pixels.
struct Between {
    int left, top;
    float right_part, lower_part;
};

// `matrix`: two rows of three. Beyond one pixel past the edge nothing changes any more: cutting there keeps far
// points, and those that are not numbers, inside the range of int.
__device__ static inline Between between(const float* matrix, int x, int y, int width, int height) {
    float u = matrix[0] * x + matrix[1] * y + matrix[2];
    float v = matrix[3] * x + matrix[4] * y + matrix[5];
    u = fminf(fmaxf(u, -1.0f), (float)width);
    v = fminf(fmaxf(v, -1.0f), (float)height);
    float left = floorf(u), top = floorf(v);
    Between found = {(int)left, (int)top, u - left, v - top};
    return found;
}

__device__ static inline float mixed(Between at, float a, float b, float c, float d) {
    float upper = a + (b - a) * at.right_part;
    float lower = c + (d - c) * at.right_part;
    return upper + (lower - upper) * at.lower_part;
}

// One channel; beyond the edge, the edge goes on.
__device__ static inline float sample(
    const u8* picture, int width, int height, long long pitch, int channels, int channel, Between at) {
    const u8* upper = picture + within(at.top, height) * pitch + channel;
    const u8* lower = picture + within(at.top + 1, height) * pitch + channel;
    int left = within(at.left, width) * channels, right = within(at.left + 1, width) * channels;
    return mixed(at, upper[left], upper[right], lower[left], lower[right]);
}

__device__ static inline float inside(const u8* plane, int width, int height, int x, int y) {
    return x < 0 || y < 0 || x >= width || y >= height ? 0.0f : plane[y * width + x];
}

// One channel without padding; beyond the edge there is nothing.
__device__ static inline float sample_or_zero(const u8* plane, int width, int height, Between at) {
    return mixed(
        at, inside(plane, width, height, at.left, at.top), inside(plane, width, height, at.left + 1, at.top),
        inside(plane, width, height, at.left, at.top + 1), inside(plane, width, height, at.left + 1, at.top + 1));
}

__device__ static inline float counted(const u8* crop, const u8* alpha, int size, int channel, int x, int y) {
    if (x < 0 || y < 0 || x >= size || y >= size) return 0.0f;
    int pixel = y * size + x;
    return crop[3 * pixel + channel] * (alpha[pixel] / 255.0f);
}

// One channel of a square multiplied by its alpha; beyond the edge there is nothing.
__device__ static inline float sample_counted(const u8* crop, const u8* alpha, int size, int channel, Between at) {
    return mixed(
        at, counted(crop, alpha, size, channel, at.left, at.top),
        counted(crop, alpha, size, channel, at.left + 1, at.top),
        counted(crop, alpha, size, channel, at.left, at.top + 1),
        counted(crop, alpha, size, channel, at.left + 1, at.top + 1));
}

struct WarpCrop {
    const u8* frame;
    void* input;  // what the network reads, or null
    u8* crops;    // the crops as pictures, or null
    long long pitch;
    int width, height, size, count;
    int half, nhwc, rgb;
    float gain[3], bias[3];  // by channel of the network's order
    float to_frame[MOST_FACES][6];
};

// Faces brought upright; rounded to whole levels first, so that network and picture agree, then normalised.
extern "C" __global__ void warp_crop(WarpCrop p) {
    int x = column(), y = row(), face = blockIdx.z;
    if (x >= p.size || y >= p.size || face >= p.count) return;
    Between at = between(p.to_frame[face], x, y, p.width, p.height);
    long long plane = (long long)p.size * p.size, pixel = (long long)y * p.size + x;
    for (int channel = 0; channel < 3; ++channel) {
        u8 level = to_u8(sample(p.frame, p.width, p.height, p.pitch, 3, channel, at));
        if (p.crops) p.crops[3 * (face * plane + pixel) + channel] = level;
        if (!p.input) continue;
        int place = p.rgb ? 2 - channel : channel;
        float value = level * p.gain[place] + p.bias[place];
        long long index = p.nhwc ? 3 * (face * plane + pixel) + place : (3 * face + place) * plane + pixel;
        if (p.half) ((half_bits*)p.input)[index] = to_half(value);
        else ((float*)p.input)[index] = value;
    }
}

struct Decode {
    const void* output;
    u8* pictures;
    int* unfinite;  // of each picture: `stamp` where some value was not finite, else what it was
    int width, height, count, stamp;
    int half, nhwc, rgb;
    float scale, shift;
};

extern "C" __global__ void decode(Decode p) {
    int x = column(), y = row(), face = blockIdx.z;
    if (x >= p.width || y >= p.height || face >= p.count) return;
    long long plane = (long long)p.width * p.height, pixel = (long long)y * p.width + x;
    for (int channel = 0; channel < 3; ++channel) {
        int place = p.rgb ? 2 - channel : channel;
        long long index = p.nhwc ? 3 * (face * plane + pixel) + place : (3 * face + place) * plane + pixel;
        float value = p.half ? from_half(((const half_bits*)p.output)[index]) : ((const float*)p.output)[index];
        if (!isfinite(value)) p.unfinite[face] = p.stamp;  // all that write it write the same
        p.pictures[3 * (face * plane + pixel) + channel] = to_u8(value * p.scale + p.shift);
    }
}

struct Colour {
    u8* pictures;
    int width, height, count;
    float affine[MOST_FACES][12];  // three rows of four: from (b, g, r, 1)
};

extern "C" __global__ void colour(Colour p) {
    int x = column(), y = row(), face = blockIdx.z;
    if (x >= p.width || y >= p.height || face >= p.count) return;
    u8* pixel = p.pictures + 3 * (((long long)face * p.height + y) * p.width + x);
    float b = pixel[0], g = pixel[1], r = pixel[2];
    for (int channel = 0; channel < 3; ++channel) {
        const float* line = p.affine[face] + 4 * channel;
        pixel[channel] = to_u8(line[0] * b + line[1] * g + line[2] * r + line[3]);
    }
}

struct LeastMask {
    u8* out;
    const u8* masks[MOST_MASKS];
    int width, height, count;
};

extern "C" __global__ void least_mask(LeastMask p) {
    int x = column(), y = row();
    if (x >= p.width || y >= p.height) return;
    long long pixel = (long long)y * p.width + x;
    u8 least = 255;
    for (int mask = 0; mask < p.count; ++mask) {
        u8 value = p.masks[mask][pixel];
        if (value < least) least = value;
    }
    p.out[pixel] = least;
}

struct Shrink {
    const u8* crop;
    const u8* alpha;
    u8* small_crop;
    u8* small_alpha;
    int size, factor, small_size;
};

// Blocks of `factor` by `factor` pixels averaged. Of a block that reaches beyond the edge, the colour is that of
// what it has, and nothing beyond counts.
extern "C" __global__ void shrink(Shrink p) {
    int x = column(), y = row();
    if (x >= p.small_size || y >= p.small_size) return;
    int right = min(p.size, (x + 1) * p.factor), below = min(p.size, (y + 1) * p.factor);
    int sums[3] = {0, 0, 0}, covered = 0, pixels = 0;
    for (int v = y * p.factor; v < below; ++v) {
        for (int u = x * p.factor; u < right; ++u) {
            long long pixel = (long long)v * p.size + u;
            for (int channel = 0; channel < 3; ++channel) sums[channel] += p.crop[3 * pixel + channel];
            covered += p.alpha[pixel];
            ++pixels;
        }
    }
    long long small = (long long)y * p.small_size + x;
    for (int channel = 0; channel < 3; ++channel)
        p.small_crop[3 * small + channel] = to_u8((float)sums[channel] / pixels);
    p.small_alpha[small] = to_u8((float)covered / (p.factor * p.factor));
}

struct Blend {
    u8* frame;
    const u8* crop;
    const u8* alpha;
    long long pitch;
    int x, y, width, height;  // the rectangle of the frame that is touched
    int size;
    float to_crop[6];
};

// The crop laid over the frame where its alpha says so, one rectangle in place.
extern "C" __global__ void blend(Blend p) {
    int x = column(), y = row();
    if (x >= p.width || y >= p.height) return;
    Between at = between(p.to_crop, p.x + x, p.y + y, p.size, p.size);
    float alpha = sample_or_zero(p.alpha, p.size, p.size, at) / 255.0f;
    if (alpha <= 0.0f) return;
    u8* pixel = p.frame + (long long)(p.y + y) * p.pitch + 3 * (p.x + x);
    for (int channel = 0; channel < 3; ++channel) {
        float under = pixel[channel];
        float over = sample_counted(p.crop, p.alpha, p.size, channel, at);
        pixel[channel] = to_u8(under * (1.0f - alpha) + over);
    }
}
