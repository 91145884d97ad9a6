// The page: the picture above, what the program says of itself below.

import { Viewer, authorisation, readToken } from './whep.js'

const POLL_MS = 1000
const at = (id) => document.getElementById(id)
const token = readToken()
if (location.hash.includes('token=')) history.replaceState(null, '', location.pathname)
if (token) at('bare').href = `/player#token=${encodeURIComponent(token)}`

const video = document.querySelector('video')
const viewer = new Viewer(video, token, (state, words) => {
  at('screen').dataset.state = state
  at('words').textContent = words
  at('play').hidden = state !== 'blocked'
})
at('play').addEventListener('click', () => viewer.play())
video.addEventListener('resize', () => {
  if (video.videoWidth) at('screen').style.aspectRatio = `${video.videoWidth} / ${video.videoHeight}`
})

// What the outputs show decides the word; the colour is never the only sign.
const SHOWN = {
  swapped: ['●', 'LIVE', 'good'],
  card: ['■', 'CARD SHOWN', 'care'],
  blur: ['▒', 'BLURRED', 'care'],
  raw: ['▲', 'NOT SWAPPED', 'bad'],
}

function say(symbol, word, tone, reason) {
  at('symbol').textContent = symbol
  at('word').textContent = word
  at('reason').textContent = reason || ''
  at('state').dataset.tone = tone
}

const whole = (value) => (Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '–')

function show(report) {
  const { frames = {}, fps = {}, age_ms: age = {}, detect = {}, viewers = {} } = report
  const searched = frames.processed ? (100 * detect.calls) / frames.processed : NaN
  const figures = {
    age: whole(age.p50),
    age95: whole(age.p95),
    fps: whole(fps.out),
    'fps-in': whole(fps.in),
    detect: Number.isFinite(searched) && searched < 10 ? searched.toFixed(1) : whole(searched),
    drops: whole(frames.dropped),
    viewers: whole(viewers.connected),
    limit: whole(viewers.limit),
  }
  for (const [id, text] of Object.entries(figures)) at(id).textContent = text
  const known = SHOWN[report.shown]
  if (!report.ready) say('◌', 'WARMING UP', 'wait', report.reason || 'the models are loaded')
  else if (known) say(...known, report.reason)
  else say('●', report.state || report.status.split(' ')[0] || 'RUNNING', 'good', report.reason)
}

async function poll() {
  try {
    const response = await fetch('/api/v1/stats', { headers: authorisation(token), cache: 'no-store' })
    if (response.ok) show(await response.json())
    else say('✕', 'NO FIGURES', 'bad', response.status === 401 ? 'the token is missing or wrong' : '')
  } catch {
    say('✕', 'STOPPED', 'bad', 'the program does not answer')
  }
  setTimeout(poll, POLL_MS)
}

viewer.connect()
poll()
