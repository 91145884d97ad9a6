// Reads the test cards that a page's first <video> shows, each frame once, for some seconds.
// What is measured ends with pixels on a canvas, not with the browser's statistics.
async ({ seconds, layout }) => {
  const video = document.querySelector('video')
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d', { willReadFrequently: true })
  const began = performance.now()
  const readings = []
  let shown = 0

  const bitsOf = (value, count) => Array.from({ length: count }, (_, bit) => (value >> (count - 1 - bit)) & 1)
  const integer = (bits) => bits.reduce((value, bit) => 2 * value + bit, 0)
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
  const check = (bits) =>
    bits.reduce((crc, bit) => ((crc << 1) & 0xff) ^ ((crc >> 7) ^ bit ? layout.polynomial : 0), 0)

  function read() {
    const width = video.videoWidth
    const cell = width / layout.cells
    canvas.width = width
    canvas.height = 1
    context.drawImage(video, 0, Math.round(video.videoHeight - cell), width, 1, 0, 0, width, 1)
    const now = Date.now()
    const pixels = context.getImageData(0, 0, width, 1).data
    const means = Array.from({ length: layout.cells }, (_, index) => {
      const first = Math.floor((index + 0.25) * cell)
      const last = Math.max(first + 1, Math.ceil((index + 0.75) * cell))
      return mean(Array.from({ length: last - first }, (_, offset) => pixels[4 * (first + offset) + 1]))
    })
    let at = layout.first
    const take = (count) => means.slice(at, (at += count))
    const sync = bitsOf(layout.sync, layout.syncBits)
    const seen = take(layout.syncBits)
    const black = mean(seen.filter((_, index) => !sync[index]))
    const white = mean(seen.filter((_, index) => sync[index]))
    const bits = (values) => values.map((value) => (value > (black + white) / 2 ? 1 : 0))
    const number = bits(take(layout.numberBits))
    const wall = bits(take(layout.wallBits))
    const sum = integer(bits(take(layout.checkBits)))
    if (white - black < layout.contrast || sum !== check([...number, ...wall])) return null
    const turn = 2 ** layout.wallBits
    return { number: integer(number), age: (((now - integer(wall)) % turn) + turn) % turn }
  }

  await new Promise((done) => {
    const each = () => {
      shown++
      const reading = video.videoWidth ? read() : null
      if (reading) readings.push(reading)
      if (performance.now() - began < 1000 * seconds) video.requestVideoFrameCallback(each)
      else done()
    }
    video.requestVideoFrameCallback(each)
    setTimeout(done, 1000 * seconds + 3000)
  })
  return { shown, readings, tookMs: performance.now() - began }
}
