// The same app in CommonJS: `node app.cjs express`.
const library = require('require-api-key');
const postgres = require('require-api-key/postgres');
const sqlite = require('require-api-key/sqlite');
const testing = require('require-api-key/testing');
const web = require('require-api-key/web');
const { checksOf, runAll } = require('./checks.cjs');

const express = require(process.argv[2]);
void runAll(checksOf({ express, library, postgres, sqlite, testing, web }));
