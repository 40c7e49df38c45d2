/** Built next. */
export const underConstruction = "device";
