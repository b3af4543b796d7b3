// Compiles the runtime into dist/: one classic script for each thing that runs, and runtime.json, which says what each
// is for. What sitegen/runtime/__init__.py reads is exactly that.
import * as esbuild from 'esbuild';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
  existsSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const dist = process.argv[2] ?? join(here, 'dist');
const wasmFolder = join(here, 'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out');
const bundled = new Set();

// TF.js brings the source of its threaded backend as text and code; pages start that binary themselves (threads.ts).
const withoutThreads = {
  name: 'without-threads',
  setup(build) {
    build.onLoad({ filter: /wasm-out[\\/]tfjs-backend-wasm-threaded-simd(\.worker)?\.js$/ }, () => ({
      contents: 'export const wasmWorkerContents = ""; export default null;',
    }));
  },
};

// What is mended in TF.js 4.22: the file, what stands there, and what has to.
const MENDED = [
  // After each turn of a loop it disposes of every tensor that the turn made, those too that a list keeps for later
  // turns: recurrent layers and detectors then fail, or read what is no longer there.
  [
    /tfjs-converter[\\/]dist[\\/]executor[\\/]graph_executor\.js$/,
    'if (tensor && !tensor.isDisposed && !keepIds.has(tensor.id)) {',
    'if (tensor && !tensor.kept && !tensor.isDisposed && !keepIds.has(tensor.id)) {',
  ],
  // A bool is a byte, and 0.3 or 256 became 0 in it.
  [
    /tfjs-backend-wasm[\\/]dist[\\/]kernels[\\/]Cast\.js$/,
    'outVals.set(inVals);',
    "outVals.set(dtype === 'bool' ? inVals.map((value) => (value ? 1 : 0)) : inVals);",
  ],
  // Whole numbers that were cut out with strides were taken for the floats of the same bits.
  [
    /tfjs-backend-wasm[\\/]dist[\\/]kernels[\\/]StridedSlice\.js$/,
    "makeOutput(finalShapeSparse, 'float32')",
    "makeOutput(finalShapeSparse, x.dtype === 'int32' ? 'int32' : 'float32')",
  ],
];

const mended = {
  name: 'mended',
  setup(build) {
    for (const [filter, wrong, right] of MENDED) {
      build.onLoad({ filter }, ({ path }) => {
        const source = readFileSync(path, 'utf8').replace(/\/\/# sourceMappingURL.*/, '');
        if (source.split(wrong).length !== 2) throw new Error(`TF.js has changed: look at ${path} again`);
        return { contents: source.replace(wrong, right) };
      });
    }
  },
};

const core = join(here, 'src/worker/core.ts');
const kernelFile = /tfjs-backend-wasm[\\/]dist[\\/]kernels[\\/](\w+)\.js$/;
// What no plan has: gradients, texts, chance, and kernels whose results have sizes that depend on numbers.
const NOT_IN_PLANS =
  /Grad$|BackpropFilter|Dilation2DBackpropInput|^String|^Sparse|^NonMaxSuppression|^(Multinomial|Unique|Bincount)$/;

// The plan engine has TF.js's kernels without TF.js around them.
const kernelsAlone = {
  name: 'kernels-alone',
  setup(build) {
    build.onResolve({ filter: /^@tensorflow\/tfjs-core$/ }, () => ({ path: core, sideEffects: false }));
    build.onResolve({ filter: /kernel_utils\/shared$/ }, () => ({
      path: join(here, 'src/worker/shared.ts'),
    }));
    build.onLoad({ filter: kernelFile }, ({ path }) => {
      if (!NOT_IN_PLANS.test(kernelFile.exec(path)[1])) return undefined;
      const [, config] = /export const (\w+Config) = /.exec(readFileSync(path, 'utf8'));
      return { contents: `export const ${config} = null;` };
    });
  },
};

// The plan engine on a GPU has TF.js's engine, but neither its optimizers nor what no plan has: a kernel of nobody's
// backend is one that the engine lacks.
const gpuKernelFile = /tfjs-backend-web(?:gl|gpu)[\\/]dist[\\/]kernels[\\/](\w+)\.js$/;
const gpuKernels = {
  name: 'gpu-kernels',
  setup(build) {
    build.onResolve({ filter: /^@tensorflow\/tfjs-core$/ }, () => ({
      path: join(here, 'src/worker/tfcore.ts'),
    }));
    build.onLoad({ filter: gpuKernelFile }, ({ path }) => {
      const [, kernel] = gpuKernelFile.exec(path);
      if (!NOT_IN_PLANS.test(kernel)) return undefined;
      const [, config] = /export const (\w+Config) = /.exec(readFileSync(path, 'utf8'));
      return { contents: `export const ${config} = { kernelName: '${kernel}', backendName: '' };` };
    });
  },
};

// `import text from './x?script'`: a script of its own, compiled, as text: what workers of workers are made from.
const scripts = {
  name: 'scripts',
  setup(build) {
    build.onResolve({ filter: /\?script$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace('?script', '.ts')),
      namespace: 'script',
    }));
    build.onLoad({ filter: /./, namespace: 'script' }, async ({ path }) => {
      const made = await esbuild.build({ ...CLASSIC, entryPoints: [path], write: false });
      return { contents: made.outputFiles[0].text, loader: 'text' };
    });
  },
};

const CLASSIC = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  format: 'iife',
  platform: 'browser',
  target: ['es2021'],
  legalComments: 'none',
  logLevel: 'warning',
};

async function script(entry, out, plugins = [withoutThreads], more = { entryPoints: [entry] }) {
  const result = await esbuild.build({
    ...CLASSIC,
    ...more,
    outfile: join(dist, out),
    jsx: 'automatic',
    jsxImportSource: 'preact',
    external: ['fs', 'path', 'crypto', 'util', 'worker_threads', 'perf_hooks', 'os', 'string_decoder'],
    plugins: [...plugins, mended],
    metafile: true,
  });
  for (const input of Object.keys(result.metafile.inputs)) {
    const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input.replaceAll('\\', '/'));
    if (found) bundled.add(found[1]);
  }
  return out;
}

// What a task's npm packages are made of (sitegen/export/npm/): a script with one global, and its declarations.
async function packaged(task) {
  const out = { script: `${task}.package.js`, types: `${task}.package.txt` };
  const contents = `export { make } from './widgets/${task}/package'; export { beside } from './package/parts';`;
  const entry = { stdin: { contents, resolveDir: join(here, 'src') }, globalName: 'sitegenPackage' };
  await script(null, out.script, [], entry);
  const texts = ['package/types.ts', `widgets/${task}/types.ts`].map((name) => {
    // What stands before the first declaration is for readers of the source: a comment, imports.
    const text = readFileSync(join(here, 'src', name), 'utf8');
    return text.replace(/^\/\*\*[^]*?\*\/\n/, '').replace(/^import type [^]*? from '.*';\n/gm, '');
  });
  const ends = [
    'export type Model = LoadedModel<Input, Options, Result>;',
    'export declare function load(options?: LoadOptions): Promise<Model>;',
    'export declare const card: Card;\n',
  ];
  writeFileSync(
    join(dist, out.types),
    [...texts, ends.join('\n')].map((text) => text.trimStart()).join('\n'),
  );
  return out;
}

function copied(from, out) {
  copyFileSync(from, join(dist, out));
  return out;
}

// The licences of everything that is bundled travel with every site.
function licences() {
  const apache = readFileSync(join(here, '../../docs/LICENSE.txt'), 'utf8');
  const texts = [...bundled].sort().map((name) => {
    const folder = join(here, 'node_modules', name);
    const { version, license } = packageOf(name);
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const head = `${name} ${version} (${license})`;
    if (file) return `${head}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    if (license === 'Apache-2.0')
      return `${head}\n\nUnder the Apache License 2.0 at the end of this file.${changed(name)}\n`;
    if (license === 'MIT') return `${head}\n\n${mit(folder)}\n`;
    throw new Error(`${name} brings no licence text`);
  });
  const rule = '\n' + '-'.repeat(78) + '\n\n';
  return ['What runs in these pages was made with the packages below.\n', ...texts, apache].join(rule);
}

function packageOf(name) {
  return JSON.parse(readFileSync(join(here, 'node_modules', name, 'package.json'), 'utf8'));
}

// The licence asks that changes be named.
function changed(name) {
  if (name === '@tensorflow/tfjs-converter')
    return ' Changed: tensors that a list keeps outlive a turn of a loop.';
  if (name === '@tensorflow/tfjs-backend-wasm')
    return ' Changed: code of sitegen starts its binaries; what is not 0 is true as a bool; one engine has its kernels alone.';
  return '';
}

function mit(folder) {
  const readme = readdirSync(folder).find((entry) => /^readme/i.test(entry));
  const text = readme && readFileSync(join(folder, readme), 'utf8');
  const at = text ? text.search(/Copyright|Permission is hereby granted/) : -1;
  if (at < 0) throw new Error(`${folder} brings no licence text`);
  return text.slice(at).trim();
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const tasks = {};
// Of tasks that can be npm packages.
const packages = {};
for (const task of readdirSync(join(here, 'src/widgets')).sort()) {
  const about = join(here, 'src/widgets', task, 'task.json');
  if (!existsSync(about)) continue;
  const made = await script(`src/widgets/${task}/index.tsx`, `${task}.js`);
  // The style sheets that its parts import.
  const style = existsSync(join(dist, `${task}.css`)) ? `${task}.css` : null;
  tasks[task] = { script: made, style, ...JSON.parse(readFileSync(about, 'utf8')) };
  if (existsSync(join(here, 'src/widgets', task, 'package.ts'))) packages[task] = await packaged(task);
}
// What Python runs under Node while it builds a site.
async function tool(entry, out) {
  await esbuild.build({
    absWorkingDir: here,
    entryPoints: [entry],
    outfile: join(dist, out),
    bundle: true,
    minify: true,
    format: 'cjs',
    platform: 'node',
    target: ['node20'],
    mainFields: ['module', 'main'],
    legalComments: 'none',
    // TF.js fetches with it, and nothing is fetched.
    external: ['node-fetch'],
    plugins: [withoutThreads, mended],
    logLevel: 'warning',
  });
  return out;
}

const wasm = {
  simd: copied(join(wasmFolder, 'tfjs-backend-wasm-simd.wasm'), 'backend-simd.wasm'),
  plain: copied(join(wasmFolder, 'tfjs-backend-wasm.wasm'), 'backend.wasm'),
};
const runtime = {
  page: await script('src/page/main.ts', 'page.js'),
  worker: await script('src/sw/sw.ts', 'sw.js'),
  retired: await script('src/sw/retire.ts', 'retire.js'),
  early: await script('src/page/early.ts', 'early.js'),
  cards: await script('src/page/cards.ts', 'cards.js'),
  kept: await script('src/page/kept.ts', 'kept.js'),
  preview: await script('src/preview/main.ts', 'preview.js'),
  style: await script('src/demo.css', 'demo.css'),
  engines: {
    graph: { script: await script('src/worker/graph.ts', 'graph.js'), wasm, variants: [] },
    plan: {
      script: await script('src/worker/plan.ts', 'plan.js', [kernelsAlone]),
      wasm,
      // Other ways to play a plan, which a page loads on demand; threads where its site has them (sitegen/assemble.py).
      variants: [
        {
          backend: 'wasm-threads',
          script: await script('src/worker/plan-threads.ts', 'plan-threads.js', [kernelsAlone, scripts]),
          wasm: copied(
            join(wasmFolder, 'tfjs-backend-wasm-threaded-simd.wasm'),
            'backend-threaded-simd.wasm',
          ),
        },
        {
          backend: 'webgl',
          script: await script('src/worker/webgl.ts', 'webgl.js', [gpuKernels]),
          wasm: null,
        },
        {
          backend: 'webgpu',
          script: await script('src/worker/webgpu.ts', 'webgpu.js', [gpuKernels]),
          wasm: null,
        },
      ],
    },
  },
  tasks,
  packages,
  tools: {
    encode: await tool('src/tools/encode.mjs', 'encode.cjs'),
    round: await tool('src/tools/round.mjs', 'round.cjs'),
    record: await tool('src/tools/record.mjs', 'record.cjs'),
    run: await tool('src/tools/run.mjs', 'run.cjs'),
  },
  licenses: 'licenses.txt',
  versions: Object.fromEntries([...bundled].sort().map((name) => [name, packageOf(name).version])),
};
writeFileSync(join(dist, 'licenses.txt'), licences());
writeFileSync(join(dist, 'runtime.json'), JSON.stringify(runtime, null, 1) + '\n');
