import { createHmac, timingSafeEqual } from 'node:crypto';

export type Disposition = 'inline' | 'attachment';

export interface FileLink {
  readonly service: string;
  readonly tenantId: string;
  readonly fileId: string;
  readonly disposition: Disposition;
  readonly endsAt: Date;
}

/** Makes links that open one file for whoever has them, until they end. */
export interface FileLinks {
  sign(link: FileLink): string;
  /** Undefined for what was not signed here, and for what has ended. */
  read(text: string, now: Date): FileLink | undefined;
}

const signatureBytes = 32;

/** `secret`: the service's own. What signs links is derived from it, so that a link says nothing of it. */
export function createFileLinks(secret: string): FileLinks {
  const key = createHmac('sha256', secret).update('links to files, version 1').digest();
  const signatureOf = (content: Buffer) => createHmac('sha256', key).update(content).digest();
  return {
    sign({ service, tenantId, fileId, disposition, endsAt }) {
      const content = Buffer.from(
        JSON.stringify([service, tenantId, fileId, disposition, Math.floor(endsAt.getTime() / 1_000)]),
      );
      return Buffer.concat([signatureOf(content), content]).toString('base64url');
    },
    read(text, now) {
      const bytes = Buffer.from(text, 'base64url');
      // One writing only: the decoder overlooks what is not of its alphabet.
      if (bytes.length <= signatureBytes || bytes.toString('base64url') !== text) return undefined;
      const [signature, content] = [bytes.subarray(0, signatureBytes), bytes.subarray(signatureBytes)];
      if (!timingSafeEqual(signature, signatureOf(content))) return undefined;
      const [service, tenantId, fileId, disposition, endsAtSeconds] = JSON.parse(String(content));
      const endsAt = new Date(endsAtSeconds * 1_000);
      return now < endsAt ? { service, tenantId, fileId, disposition, endsAt } : undefined;
    },
  };
}
