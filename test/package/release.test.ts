import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const workflows = '.github/workflows';
const release = readFileSync(`${workflows}/release.yml`, 'utf8');

/** The jobs of a workflow by their names, as text. */
function jobsOf(workflow: string): Readonly<Record<string, string>> {
  const [, jobs] = workflow.split('\njobs:\n');
  const parts = jobs!.split(/^  (\w+):\n/m).slice(1);
  return Object.fromEntries(
    parts.flatMap((name, index) => (index % 2 === 0 ? [[name, parts[index + 1]!]] : [])),
  );
}

describe('the workflows', () => {
  it.each(readdirSync(workflows))(
    '%s -> each action by its commit, no secret, and no more rights than to read',
    (name) => {
      const text = readFileSync(`${workflows}/${name}`, 'utf8');
      const used = [...text.matchAll(/uses: (.+)$/gm)].map(([, action]) => action!);
      expect(used.length).toBeGreaterThan(1);
      for (const action of used)
        expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
      expect(text).toMatch(/^permissions:\n  contents: read\n$/m);
      expect(text).not.toMatch(/secrets\.|NODE_AUTH_TOKEN|NPM_TOKEN|registry/i);
      // Otherwise what runs later finds a token in the folder.
      const checkouts = used.filter((action) => action.startsWith('actions/checkout@'));
      expect(text.match(/persist-credentials: false/g)).toHaveLength(checkouts.length);
    },
  );

  it('a tag -> checks first, then npm with provenance, then the bill of materials', () => {
    expect(release).toMatch(/^on:\n  push:\n    tags: \['v\*'\]\n$/m);
    const { check, publish, attach, ...others } = jobsOf(release);
    expect(others).toEqual({});
    expect(check).toContain('run: .ci/run');
    expect(publish).toContain('needs: check');
    expect(publish).toContain('npm publish --ignore-scripts --provenance --access public');
    expect(attach).toContain('needs: publish');
    expect(attach).toMatch(/npm run --silent sbom > (\S+)\n[^]*gh release create .* \1\n/);
  });

  it('the right to sign as this workflow, and to write a release -> in one job each', () => {
    const rights = Object.entries(jobsOf(release)).map(([name, job]) => [
      name,
      [...job.matchAll(/^      ([\w-]+: write)$/gm)].map(([, right]) => right),
    ]);
    expect(Object.fromEntries(rights)).toEqual({
      check: [],
      publish: ['id-token: write'],
      attach: ['contents: write'],
    });
  });

  it('a job that may sign or write -> runs no script of a dependency', () => {
    const { check: _check, ...jobs } = jobsOf(release);
    for (const [name, job] of Object.entries(jobs)) {
      expect(job, name).toContain('run: npm ci --ignore-scripts\n');
      expect(job.match(/npm ci/g), name).toHaveLength(1);
    }
  });
});

describe('scripts/check-release.js', () => {
  const files = ['package.json', 'package-lock.json', 'CHANGELOG.md'];

  /** Runs it in a copy of what it reads, ready for a release, with some changes. */
  function check(tag: string, changes: Readonly<Record<string, (text: string) => string>> = {}) {
    const folder = mkdtempSync(join(tmpdir(), 'release-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const each of [...files, 'openapi']) cpSync(each, join(folder, each), { recursive: true });
    const edit = (file: string, change: (text: string) => string) =>
      writeFileSync(join(folder, file), change(readFileSync(join(folder, file), 'utf8')));
    const address = '"repository": { "url": "git+https://example.com/team/project.git" },';
    edit('package.json', (text) => text.replace('"license"', `${address} "license"`));
    edit('CHANGELOG.md', (text) => text.replace(/^## .*$/m, `## ${version} - 2026-12-01`));
    for (const [file, change] of Object.entries(changes)) edit(file, change);
    const script = resolve('scripts/check-release.js');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, tag], {
      cwd: folder,
      encoding: 'utf8',
      env: { GITHUB_REPOSITORY: 'team/project' },
    });
    return { status, stdout, stderr };
  }

  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

  it('everything of one version, with its date -> 0, and what the changelog says of it', () => {
    const { status, stdout, stderr } = check(`v${version}`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.length).toBeGreaterThan(50);
    expect(readFileSync('CHANGELOG.md', 'utf8')).toContain(stdout);
    expect(stdout).not.toMatch(/^## /m);
  });

  it.each([
    ['a tag without v', '9.9.9', {}, 'the tag is "9.9.9", not like v1.2.3'],
    ['a tag of another version', 'v9.9.9', {}, 'not 9.9.9'],
    [
      'a description of another version',
      `v${version}`,
      { 'openapi/key-desk.json': (text: string) => text.replace(version, '0.0.1') },
      `openapi/key-desk.json has version 0.0.1, not ${version}`,
    ],
    [
      'a changelog without its date',
      `v${version}`,
      { 'CHANGELOG.md': (text: string) => text.replace('2026-12-01', 'unreleased') },
      `CHANGELOG.md begins with "## ${version} - unreleased"`,
    ],
    [
      'a manifest without the repository',
      `v${version}`,
      { 'package.json': (text: string) => text.replace('team/project', 'other/project') },
      'package.json needs "repository"',
    ],
  ])('%s -> 1, named, and nothing on stdout', (_what, tag, changes, told) => {
    const { status, stdout, stderr } = check(tag, changes);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(told);
  });
});
