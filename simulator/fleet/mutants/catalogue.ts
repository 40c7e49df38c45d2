import { dataMutants } from "./data.ts";
import { lifeMutants } from "./life.ts";
import { resourceMutants } from "./resources.ts";

/** Every bad release that is known here, by name. `docs/mutants.md` says where each is caught. */
export const mutants = { ...lifeMutants, ...dataMutants, ...resourceMutants };
export type MutantName = keyof typeof mutants;
export const mutantNames: readonly string[] = Object.keys(mutants);

export function isMutant(name: string): name is MutantName {
  return Object.hasOwn(mutants, name);
}
