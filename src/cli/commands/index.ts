import type { Command } from 'commander';
import { addAdopt } from './adopt.js';
import { addCheck } from './check.js';
import { addClaim } from './claim.js';
import { addClaims } from './claims.js';
import { addCopy } from './copy.js';
import { addCreate } from './create.js';
import { addDoctor } from './doctor.js';
import { addGenerate } from './generate.js';
import { addImport } from './import.js';
import { addList } from './list.js';
import { addMigrate } from './migrate.js';
import { addHistory } from './history.js';
import { addNotices } from './notices.js';
import { addPause } from './pause.js';
import { addPrune } from './prune.js';
import { addResume } from './resume.js';
import { addRevoke } from './revoke.js';
import { addRotate } from './rotate.js';
import { addShow } from './show.js';
import { addUpdate } from './update.js';
import { addUsage } from './usage.js';

/** In the order of the help. */
const adders = [
  addGenerate,
  addMigrate,
  addCreate,
  addClaim,
  addClaims,
  addList,
  addShow,
  addUpdate,
  addRotate,
  addPause,
  addResume,
  addRevoke,
  addHistory,
  addUsage,
  addNotices,
  addImport,
  addAdopt,
  addCopy,
  addPrune,
  addDoctor,
  addCheck,
];

export function addCommands(program: Command): void {
  for (const add of adders) add(program);
}
