// A sound: recorded, or a file. What the server can't read is decoded here and sent as WAV.

import { onFile } from "../files.js";

const READ_BY_SERVER = /\.(wav|flac|ogg|mp3|aiff?|au)$/i;
const RATE = 16000;

async function decoded(blob) {
  const context = new OfflineAudioContext(1, 1, RATE);
  return (await context.decodeAudioData(await blob.arrayBuffer())).getChannelData(0);
}

function asWav(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (place, word) => [...word].forEach((letter, i) => view.setUint8(place + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // samples as they are
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => view.setInt16(44 + 2 * i, Math.max(-1, Math.min(1, sample)) * 32767, true));
  return new File([view], "recording.wav", { type: "audio/wav" });
}

export function setUp({ find, settings }) {
  const button = find("record");
  const label = find("record-label");
  const hint = find("record-hint");
  const player = find("player");
  const fileName = find("file-name");
  const wave = find("wave");
  const LONGEST = Math.min(30, settings.seconds);

  let sound = null;
  let recorder = null;

  function draw(samples) {
    const brush = wave.getContext("2d");
    const middle = wave.height / 2;
    brush.clearRect(0, 0, wave.width, wave.height);
    brush.fillStyle = getComputedStyle(wave).color;
    const step = Math.max(1, Math.floor(samples.length / (wave.width / 4)));
    let loudest = 0.01;
    for (const sample of samples) loudest = Math.max(loudest, Math.abs(sample));
    for (let column = 0; column * step < samples.length; column++) {
      let peak = 0;
      for (const sample of samples.subarray(column * step, (column + 1) * step)) peak = Math.max(peak, Math.abs(sample));
      const height = Math.max(1, (peak / loudest) * (middle - 6));
      brush.fillRect(4 * column, middle - height, 3, 2 * height);
    }
  }

  async function use(blob, from) {
    let samples = null;
    try {
      samples = await decoded(blob);
    } catch {
      // Not every browser reads all that the server does.
    }
    if (samples) draw(samples);
    sound = READ_BY_SERVER.test(blob.name ?? "") || !samples ? blob : asWav(samples);
    if (player.src) URL.revokeObjectURL(player.src);
    player.src = URL.createObjectURL(sound);
    player.hidden = false;
    fileName.textContent = from === "file" ? blob.name : "Choose or drop a sound file";
    hint.textContent = samples ? `${(samples.length / RATE).toFixed(1)} s` : "";
  }

  async function start() {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const chunks = [];
    recorder = new MediaRecorder(stream);
    recorder.addEventListener("dataavailable", (event) => chunks.push(event.data));
    recorder.addEventListener("stop", async () => {
      stream.getTracks().forEach((track) => track.stop());
      recorder = null;
      button.setAttribute("aria-pressed", "false");
      label.textContent = "Record";
      await use(new Blob(chunks, { type: chunks[0]?.type }), "microphone");
    });
    recorder.start();
    button.setAttribute("aria-pressed", "true");
    label.textContent = "Stop";
    player.hidden = true;
    wave.getContext("2d").clearRect(0, 0, wave.width, wave.height);
    hint.textContent = "Recording …";
    setTimeout(() => recorder?.stop(), 1000 * LONGEST);
  }

  onFile(find("drop"), find("file"), (file) => use(file, "file"));
  button.addEventListener("click", async () => {
    try {
      if (recorder) recorder.stop();
      else await start();
    } catch {
      hint.textContent = "The microphone can't be used here: allow it, or choose a file.";
    }
  });

  return function read() {
    if (!sound) throw new Error("Record something or choose a sound file first.");
    return sound;
  };
}
