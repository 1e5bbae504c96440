export { mirrorConsumer } from './consumer.ts';
export { type Copies, copiesOf } from './copies.ts';
export { mirrorMigrations } from './migrations.ts';
export { type CopyOf, type Mirror, mirrorOf } from './mirror.ts';
export { rebuildMirror, startMirrors } from './runner.ts';
