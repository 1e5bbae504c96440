/** A program that uses the platform the way any outsider does: HTTP through the gateway. */
export interface ApiClient {
  readonly organisationId: string;
  /** The same at another address: at a service itself. */
  at(origin: string): ApiClient;
  get(path: string): Promise<Answer>;
  post(path: string, body: unknown): Promise<Answer>;
  send(path: string, contentType: string, body: string, headers?: Record<string, string>): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: an outsider has only JSON; each test says what it expects in it.
  readonly body: any;
}

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export async function registerOrganisation(
  origin: string,
  organisation: string,
  baseCurrency: string,
): Promise<ApiClient> {
  const anonymous = client(origin, '', undefined);
  const registered = await anonymous.post('/api/v1/users/register', {
    organisation,
    name: 'Anna Petrova',
    email: `anna@${organisation.toLowerCase().replaceAll(' ', '-')}.example`,
    password: 'Quite-Long-And-Odd-7',
    baseCurrency,
    language: 'en',
  });
  if (registered.status !== 201) throw new Error(`registering failed: ${JSON.stringify(registered)}`);
  return client(origin, registered.body.organisation.id, registered.body.accessToken);
}

function client(origin: string, organisationId: string, accessToken: string | undefined): ApiClient {
  const authorization: Record<string, string> = accessToken ? { authorization: `Bearer ${accessToken}` } : {};
  const request = async (path: string, init: Sent): Promise<Answer> => {
    const response = await fetch(origin + path, { ...init, headers: { ...authorization, ...init.headers } });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  };
  return {
    organisationId,
    at: (other) => client(other, organisationId, accessToken),
    get: (path) => request(path, {}),
    post: (path, body) =>
      request(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    send: (path, contentType, body, headers = {}) =>
      request(path, { method: 'POST', headers: { 'content-type': contentType, ...headers }, body }),
  };
}
