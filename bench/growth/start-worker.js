// One process: how long it takes to import one module and to make a guard of it.
const { module, makesGuard } = JSON.parse(process.argv[2]);

const before = performance.now();
const imported = await import(module);
if (makesGuard) imported.requireApiKey();
const tookMs = performance.now() - before;
process.send({ tookMs }, () => process.exit());
