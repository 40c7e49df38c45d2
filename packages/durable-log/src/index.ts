/** Built next. */
export const underConstruction = "durable-log";
