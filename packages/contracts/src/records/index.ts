export { labelMistakes } from './complete-labels.ts';
export {
  type AnyDocument,
  type DocumentDeclaration,
  type DocumentState,
  type DocumentValue,
  declareDocument,
  documentEndpointsOf,
} from './document.ts';
export { endpointsOf } from './endpoints.ts';
export {
  Address,
  address,
  choice,
  type Derived,
  day,
  decimal,
  derived,
  email,
  type Field,
  type FieldKind,
  type Fields,
  flag,
  instant,
  lines,
  longText,
  money,
  percent,
  phone,
  quantity,
  reference,
  tags,
  text,
  type ValuesOf,
  wholeNumber,
} from './fields.ts';
export { mostRowsInRequest, RecordImportReport, recordFileTypes } from './file-endpoints.ts';
export { ImportMapping, type ImportsContract, importsOf } from './imports.ts';
export { RecordLabels } from './labels.ts';
export { type FilterOperator, filterName, filterOperators, filterSchema, type Period } from './list-query.ts';
export { mirrorEndpointsOf, mostMirroredByIds } from './mirror-endpoints.ts';
export { printEndpointsOf } from './print-endpoints.ts';
export type { ParsedQuery } from './query-input.ts';
export {
  type AnyRecord,
  type CustomValues,
  declareRecord,
  kebab,
  listedFields,
  type RecordDeclaration,
  type RecordValue,
  type Transition,
  type Transitions,
} from './record.ts';
export { BulkResult, RecordChange, RecordCount, SummaryGroup, Version } from './shapes.ts';
export { type EventsOf, eventsOf, transitionsOf } from './transitions.ts';
