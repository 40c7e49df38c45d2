type Fetch = (path: string, init: RequestInit) => Promise<Response>;

export interface RenewingParts {
  readonly fetch: Fetch;
  /** The call that has a session renewed; below it, and beside it, nothing is renewed. */
  readonly path: string;
  /** Runs one at a time among all pages of this console. */
  readonly alone: (renew: () => Promise<boolean>) => Promise<boolean>;
}

/**
 * Fetches; where the API knows nobody any more, the session is renewed, once for all who find that at the same time, and
 * it is fetched again.
 */
export function renewing({ fetch, path, alone }: RenewingParts): Fetch {
  const ofSessions = path.slice(0, path.lastIndexOf("/"));
  let underWay: Promise<boolean> | undefined;
  const renew = async (): Promise<boolean> => {
    try {
      return await alone(async () => (await fetch(path, { method: "POST" })).ok);
    } catch {
      // It cannot be asked now: who asked is told that nobody is signed in, and may ask again.
      return false;
    } finally {
      underWay = undefined;
    }
  };
  return async (asked, init) => {
    const answer = await fetch(asked, init);
    if (answer.status !== 401 || asked.startsWith(ofSessions)) return answer;
    return (await (underWay ??= renew())) ? fetch(asked, init) : answer;
  };
}
