/** Routes without any token, each with the reason why that is right. */
export const openToEveryone: Readonly<Record<string, string>> = {
  'POST /api/v1/users/register': 'nobody has an account yet',
  'POST /api/v1/users/login': 'this is where tokens come from',
  'POST /api/v1/users/refresh': 'the refresh token in the body is the proof',
  'POST /api/v1/users/logout': 'the refresh token in the body is the proof',
  'POST /api/v1/users/invitations/look': 'the token of the mail in the body is the proof',
  'POST /api/v1/users/invitations/accept': 'the token of the mail in the body is the proof',
  'GET /api/v1/users/.well-known/jwks.json': 'public keys',
  'GET /internal/users/revocations': 'random ids only, and never through the gateway',
};

/** Routes for everyone signed in, whatever their role: they concern the caller alone, or every member alike. */
export const openToSignedIn: Readonly<Record<string, string>> = {
  'GET /api/v1/users/me': 'who the caller is',
  'GET /api/v1/users/organisation': 'every member knows where they work',
  'POST /api/v1/users/organisation/leave': 'their own membership',
  'GET /api/v1/users/organisations': 'those they belong to',
  'POST /api/v1/users/switch': 'their own session, into an organisation they belong to',
  'POST /api/v1/users/invitations/accept-signed-in': 'the token of the mail, for their own address',
  'GET /api/v1/users/me/sessions': 'their own',
  'PATCH /api/v1/users/me/sessions/{sessionId}': 'their own',
  'POST /api/v1/users/me/sessions/{sessionId}/revoke': 'their own',
  'POST /api/v1/users/me/sessions/revoke': 'their own',
};
