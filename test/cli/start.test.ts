import { expect, it } from 'vitest';
import { cliFile, startProcess } from '../support/cli.js';

/** Says at the end what Node has loaded of its own. */
const atExit = `data:text/javascript,process.on('exit',()=>console.error(process.moduleLoadList.join()))`;

it('a command that calls no server -> does not wait until Node has loaded HTTP', async () => {
  const args = ['--import', atExit, cliFile, 'generate'];
  const { code, stderr } = await startProcess(process.execPath, args).finished;
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('NativeModule fs,');
  expect(stderr).not.toMatch(/NativeModule https?,/);
});
