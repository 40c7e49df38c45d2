/** One call of a region's service, by whatever way: function or network. */
export interface Invoke {
  (service: string, operation: string, input: object): Promise<object>;
}

/** What services say of what is there already. */
const EXISTS = new Set([
  "AlreadyExistsException",
  "ResourceAlreadyExistsException",
  "BucketAlreadyOwnedByYou",
  "ResourceConflictException",
  "EntityAlreadyExists",
  "ResourceInUseException",
]);

/** Calls by `invoke` that are content where what they make is there. */
export function unlessThereBy(invoke: Invoke) {
  return async (service: string, operation: string, input: object): Promise<object | undefined> => {
    try {
      return await invoke(service, operation, input);
    } catch (failure) {
      if (failure instanceof Error && "code" in failure && EXISTS.has(String(failure.code))) return undefined;
      throw failure;
    }
  };
}
