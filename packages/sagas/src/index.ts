export {
  type CommandRequest,
  defineSaga,
  type SagaCommand,
  type SagaDefinition,
  type SagaStep,
  type SagaView,
  type StepMaker,
} from './define.ts';
export { sagaMigrations } from './migrations.ts';
export { type SagaRunner, type SagaRunnerOptions, startSagaRunner } from './runner.ts';
export { createSagas, type Sagas, type SagasOptions, type SagaToStart } from './sagas.ts';
