export { folderStore } from './stores/folder-store.ts';
export { type ByteRange, ObjectAbsent, type ObjectStore, type StoredObject } from './stores/object-store.ts';
export { type S3Options, s3Store } from './stores/s3-store.ts';
