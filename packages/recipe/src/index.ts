/** Built next. */
export const underConstruction = "recipe";
