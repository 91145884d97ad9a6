// The page: the picture above, what the program says of itself below.

import { Viewer, authorisation, readToken } from './whep.js'

const POLL_MS = 1000
const at = (id) => document.getElementById(id)
// A screen reader reads a status out again whenever it is written, so only changes are.
const put = (id, text) => {
  if (at(id).textContent !== text) at(id).textContent = text
}
const token = readToken()
if (location.hash.includes('token=')) history.replaceState(null, '', location.pathname)
if (token) at('bare').href = `/player#token=${encodeURIComponent(token)}`

const video = document.querySelector('video')
const viewer = new Viewer(video, token, (state, words) => {
  at('screen').dataset.state = state
  put('words', words.charAt(0).toUpperCase() + words.slice(1))
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
  put('symbol', symbol)
  put('word', word)
  put('reason', reason || '')
  at('state').dataset.tone = tone
}

const whole = (value) => (Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '–')

function showFigures(report) {
  const { frames = {}, fps = {}, recent_age_ms: age = report.age_ms || {}, detect = {}, viewers = {} } = report
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
  for (const [id, text] of Object.entries(figures)) put(id, text)
}

function show(report) {
  showFigures(report)
  const known = SHOWN[report.shown]
  if (!report.ready) say('◌', 'WARMING UP', 'wait', report.reason || 'the models are loaded')
  else if (known) say(...known, report.reason)
  else say('●', report.state || report.status.split(' ')[0] || 'RUNNING', 'good', report.reason)
}

function lost(word, reason) {
  showFigures({})
  say('✕', word, 'bad', reason)
}

async function poll() {
  try {
    const response = await fetch('/api/v1/stats', { headers: authorisation(token), cache: 'no-store' })
    if (response.ok) show(await response.json())
    else lost('NO FIGURES', response.status === 401 ? 'the token is missing or wrong' : '')
  } catch {
    lost('STOPPED', 'the program does not answer')
  }
  setTimeout(poll, POLL_MS)
}

viewer.connect()
poll()
