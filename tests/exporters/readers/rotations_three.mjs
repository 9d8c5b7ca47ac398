// Print the local rotations that three.js finds in a GLB, or that its VRM library finds in a VRMA, as one line of JSON.
// usage: MODULES=folder/node_modules node rotations_three.mjs FILE  ->  {rate, tracks: {name: [[w, x, y, z], ...]}}
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

globalThis.self ??= globalThis; // the loader expects a browser's names
console.warn = () => {};
const load = (file) => import(pathToFileURL(path.join(process.env.MODULES, file)).href);
const { GLTFLoader } = await load('three/examples/jsm/loaders/GLTFLoader.js');
const file = process.argv[2];
const loader = new GLTFLoader();
if (file.endsWith('.vrma')) {
  const { VRMAnimationLoaderPlugin } = await load('@pixiv/three-vrm-animation/lib/three-vrm-animation.module.js');
  loader.register((parser) => new VRMAnimationLoaderPlugin(parser));
}
const bytes = readFileSync(file);
const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
const read = await new Promise((done, failed) => loader.parse(buffer, '', done, failed));

const motion = read.userData.vrmAnimations?.[0];
const named = motion
  ? [...motion.humanoidTracks.rotation].map(([bone, track]) => [bone, track])
  : read.animations[0].tracks.filter((t) => t.name.endsWith('.quaternion')).map((t) => [t.name.split('.')[0], t]);
const wxyz = (track) => Array.from(track.times, (_, n) => [3, 0, 1, 2].map((k) => track.values[4 * n + k]));
const { times } = named[0][1];
console.log(JSON.stringify({
  rate: (times.length - 1) / (times.at(-1) - times[0]),
  tracks: Object.fromEntries(named.map(([name, track]) => [name, wxyz(track)])),
  hips: motion && Array.from(motion.humanoidTracks.translation.get('hips').values),
  rest_hips: motion?.restHipsPosition.toArray(),
}));
