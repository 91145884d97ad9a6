// The bare player, for an OBS browser source: the picture, or nothing at all.

import { Viewer, readToken } from './whep.js'

const video = document.querySelector('video')
new Viewer(video, readToken(), (state) => {
  document.body.dataset.state = state
}).connect()
