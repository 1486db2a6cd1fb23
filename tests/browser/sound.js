// What comes over a page's connections, to be measured: to be run before the page's own scripts.
{
  let analyser
  const Connection = RTCPeerConnection
  window.connections = []
  window.RTCPeerConnection = class extends Connection {
    constructor(...given) {
      super(...given)
      window.connections.push(this)
      this.addEventListener('track', ({ track }) => {
        const context = new AudioContext()
        analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 })
        new MediaStreamAudioSourceNode(context, { mediaStream: new MediaStream([track]) }).connect(analyser)
      })
    }
  }

  /** The level of a tone in what is heard, in dB. */
  window.level = (hertz) => {
    if (!analyser) return -Infinity
    const spectrum = new Float32Array(analyser.frequencyBinCount)
    analyser.getFloatFrequencyData(spectrum)
    const at = Math.round((hertz * analyser.fftSize) / analyser.context.sampleRate)
    return Math.max(...spectrum.slice(at - 2, at + 3))
  }

  /** The energy of the sound that came so far (https://www.w3.org/TR/webrtc-stats, totalAudioEnergy). */
  window.energy = async () => {
    let energy = 0
    for (const connection of window.connections)
      for (const report of (await connection.getStats()).values())
        if (report.type === 'inbound-rtp') energy += report.totalAudioEnergy ?? 0
    return energy
  }
}
