export { type BuiltInRoleName, builtInRoles, RoleName } from './built-in-roles.ts';
export { checkRow, fieldErrors, mostFieldErrors, type PointerOf, pointerInBody } from './check-row.ts';
export type { Contract } from './contract.ts';
export type { ConflictingDuties } from './duties.ts';
export {
  type AnyEndpoint,
  anyContentType,
  type BodyInputOf,
  type BodyOf,
  type Deprecation,
  type EndpointDefinition,
  endpoint,
  type Method,
  type ParamsInputOf,
  type ParamsOf,
  type QueryInputOf,
  type QueryOf,
  type ReplyOf,
  type ResponseCache,
  type SignedInEndpoint,
  type StreamBody,
} from './endpoint.ts';
export { Envelope, type EventData, type EventDefinition, type EventType, event } from './event.ts';
export { FileContent, isFileContent } from './file-content.ts';
export { Id, newId } from './ids.ts';
export {
  ImportMode,
  ImportQuery,
  ImportReply,
  mostRefusedDescribed,
  RefusedRow,
  UnderstoodFile,
} from './import.ts';
export { isStorable, parseJson } from './json.ts';
export { parseKnownFields } from './known-fields.ts';
export { PageQuery, pageOf } from './list.ts';
export {
  CurrencyCode,
  Day,
  Instant,
  MoneyOnWire,
  moneyToWire,
  PositiveMoney,
  PriceOnWire,
  QuantityOnWire,
  UnitCode,
} from './measures.ts';
export {
  type Access,
  type ForServices,
  forServices,
  isForServices,
  type Permission,
  type PermissionName,
  permission,
  type Text,
} from './permission.ts';
export { fieldsOf, type Hidden, isPersonal, personal, replacePersonal } from './personal.ts';
export { type CustomFieldsContract, customFieldsOf } from './platform/custom-fields.ts';
export {
  NumbersWouldHaveGap,
  NumbersWouldRepeat,
  ReversalBeforeOriginal,
  TotalsOutOfDate,
} from './platform/document-refusals.ts';
export { FileLinkRefused, FileRefused, FileRoomUsedUp, FileTooLarge } from './platform/file-refusals.ts';
export { FileFacts, FileLinkReply, type FilesAccess, type FilesContract, filesOf } from './platform/files.ts';
export { Job, JobStarted, JobState, type JobsContract, jobsOf } from './platform/jobs.ts';
export {
  NumberPattern,
  type NumberSeries,
  NumberSeriesChange,
  type NumberSeriesContract,
  NumberSeriesState,
  numberSeriesOf,
} from './platform/number-series.ts';
export {
  CustomFieldUnfit,
  FieldFixed,
  KeyTaken,
  MeasureTooLarge,
  RecordArchived,
  RecordIdReused,
  ReferenceUnknown,
  StateUnfit,
  TooManyGroups,
} from './platform/record-refusals.ts';
export {
  Absent,
  BadUpstream,
  BodyTooLarge,
  DatabaseUnavailable,
  DeadlineExceeded,
  FileRowRefused,
  Forbidden,
  HeadersTooLarge,
  IdempotencyKeyReused,
  MalformedRequest,
  MethodNotAllowed,
  RequestStillRunning,
  Stale,
  StatementCancelled,
  StepUpRequired,
  TooManyRequests,
  Unauthenticated,
  Unavailable,
  UnsupportedMediaType,
} from './platform/refusals.ts';
export { SagaIdReused, SagaOver } from './platform/saga-refusals.ts';
export {
  Saga,
  type SagaEvents,
  SagaNeed,
  SagaProblem,
  SagaState,
  SagaStepState,
  SagaWithSteps,
  sagaContract,
  sagaEvents,
  sagaPermissions,
} from './platform/sagas.ts';
export { describeService, RouteDescription, ServiceDescription } from './platform/service-description.ts';
export { builtInGrants, grantsCover, rolesGrant } from './roles.ts';
export { ActingService, type ServiceName, servicePorts } from './services.ts';
export { lineOfText, Name, normaliseText, textOfLines } from './texts.ts';
