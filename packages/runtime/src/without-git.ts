type Environment = Record<string, string | undefined>;

/** The environment without git's own variables: a hook, and whatever it starts, runs with `GIT_DIR=.`. */
export function withoutGit(environment: Readonly<Environment>): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("GIT_")));
}
