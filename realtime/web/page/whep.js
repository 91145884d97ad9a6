// A WHEP viewer for a <video>: connects, says how it stands, tries again, and takes its leave.

const RETRY_MS = 2000
const GATHER_MS = 500
const FIRST_PICTURE_MS = 10000
const SILENT_MS = 4000
const LOOK_MS = 1000
const TOKEN_KEY = 'realtime-token'

// The token comes in the fragment, which browsers do not send to any server, and not in the query.
export function readToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token')
  try {
    if (given) sessionStorage.setItem(TOKEN_KEY, given)
    return given || sessionStorage.getItem(TOKEN_KEY) || ''
  } catch {
    return given || ''
  }
}

export function authorisation(token) {
  return token ? { Authorization: `Bearer ${token}` } : {}
}

class Refused extends Error {}

async function refusal(response) {
  const words = { 401: 'This page needs its token: open the address that the program printed.' }
  const text = (await response.text()).trim().split('\n')[0]
  return new Refused(words[response.status] || text || `The program answered ${response.status}.`)
}

export class Viewer {
  // tell(state, words): state is 'connecting', 'playing', 'blocked' (autoplay refused) or 'waiting'.
  constructor(video, token, tell) {
    this.video = video
    this.token = token
    this.tell = tell
    this.session = null
    this.peer = null
    this.attempt = 0
    addEventListener('pagehide', () => this.leave())
    addEventListener('pageshow', (event) => event.persisted && this.connect())
  }

  async connect() {
    this.leave()
    const attempt = ++this.attempt
    this.tell('connecting', 'Connecting…')
    try {
      await this.negotiate(attempt)
    } catch (error) {
      const silent = error instanceof TypeError
      const words = silent ? 'The program does not answer. Is it running?' : error.message
      this.retry(attempt, words)
    }
  }

  async negotiate(attempt) {
    if (typeof RTCPeerConnection === 'undefined') throw new Refused('This browser has no WebRTC.')
    const peer = new RTCPeerConnection({ iceServers: [] })
    this.peer = peer
    peer.addTransceiver('video', { direction: 'recvonly' })
    peer.ontrack = ({ track, receiver }) => {
      if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0
      this.video.srcObject = new MediaStream([track])
      this.play()
    }
    peer.onconnectionstatechange = () => {
      if (['failed', 'disconnected', 'closed'].includes(peer.connectionState)) {
        this.retry(attempt, 'The connection was lost.')
      }
    }
    await peer.setLocalDescription(await peer.createOffer())
    await gathered(peer)
    const response = await fetch('/whep', {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', ...authorisation(this.token) },
      body: peer.localDescription.sdp,
    })
    if (response.status !== 201) throw await refusal(response)
    const session = response.headers.get('Location')
    if (attempt !== this.attempt) return this.remove(session)
    this.session = session
    await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() }).catch((error) => {
      throw new Refused(`This browser refused the answer: ${error.message}`)
    })
    this.watch(attempt, peer)
  }

  // The program sends a picture each second at least, so that silence means that it has gone. The
  // browser itself would take much longer to say so.
  watch(attempt, peer) {
    let packets = 0
    let heard = performance.now()
    const look = async () => {
      if (attempt !== this.attempt) return
      const now = performance.now()
      const received = await packetsReceived(peer)
      if (received !== packets) {
        packets = received
        heard = now
      } else if (now - heard > (packets ? SILENT_MS : FIRST_PICTURE_MS)) {
        return this.retry(attempt, packets ? 'The picture stopped.' : noPicture())
      }
      setTimeout(look, LOOK_MS)
    }
    setTimeout(look, LOOK_MS)
  }

  async play() {
    try {
      await this.video.play()
      this.tell('playing', '')
    } catch (error) {
      if (error.name === 'NotAllowedError') this.tell('blocked', 'This browser waits for a click before it plays.')
    }
  }

  retry(attempt, words) {
    if (attempt !== this.attempt) return
    this.leave()
    const waiting = ++this.attempt
    this.tell('waiting', words)
    setTimeout(() => waiting === this.attempt && this.connect(), RETRY_MS)
  }

  leave() {
    this.attempt++
    if (this.peer) this.peer.close()
    if (this.session) this.remove(this.session)
    this.peer = this.session = null
  }

  remove(session) {
    fetch(session, { method: 'DELETE', keepalive: true, headers: authorisation(this.token) }).catch(() => {})
  }
}

function noPicture() {
  // Without any network a browser offers no address, not even of its own machine.
  return navigator.onLine
    ? 'No picture came. A firewall may stand between.'
    : 'No picture came: browsers need some network for it, even on the same machine.'
}

async function packetsReceived(peer) {
  let packets = 0
  for (const entry of (await peer.getStats()).values()) {
    if (entry.type === 'inbound-rtp') packets += entry.packetsReceived
  }
  return packets
}

function gathered(peer) {
  return new Promise((done) => {
    const look = () => peer.iceGatheringState === 'complete' && done()
    peer.addEventListener('icegatheringstatechange', look)
    setTimeout(done, GATHER_MS)
    look()
  })
}
