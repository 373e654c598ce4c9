// Checks that everything names the version of a tag, and prints what the changelog says of it:
// node scripts/check-release.js v1.2.3
import { readFileSync } from 'node:fs';

const [tag = ''] = process.argv.slice(2);
const version = tag.replace(/^v/, '');
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const manifest = read('package.json');
const problems = [];

const named = {
  'package.json': manifest.version,
  'package-lock.json': read('package-lock.json').version,
  'openapi/account-keys.json': read('openapi/account-keys.json').info.version,
  'openapi/key-desk.json': read('openapi/key-desk.json').info.version,
};
if (!/^v\d+\.\d+\.\d+$/.test(tag)) problems.push(`the tag is "${tag}", not like v1.2.3`);
else
  for (const [file, found] of Object.entries(named))
    if (found !== version) problems.push(`${file} has version ${found}, not ${version}`);

const [, newest = ''] = readFileSync('CHANGELOG.md', 'utf8').split(/^## /m);
const [heading, ...notes] = newest.split('\n');
const [released, date = ''] = heading.split(' - ');
if (released !== version || !/^\d{4}-\d\d-\d\d$/.test(date))
  problems.push(`CHANGELOG.md begins with "## ${heading}", not with this version and its date`);

// npm refuses provenance without it.
const url = String(manifest.repository?.url ?? '').replace(/\.git$/, '');
const { GITHUB_REPOSITORY: repository } = process.env;
if (url === '' || (repository && !url.endsWith(`/${repository}`)))
  problems.push('package.json needs "repository" with the address of this repository');

if (problems.length > 0) {
  console.error(problems.map((problem) => `check-release: ${problem}`).join('\n'));
  process.exitCode = 1;
} else console.log(notes.join('\n').trim());
