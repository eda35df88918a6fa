/** A bundle for the Python package: a page imports it and registers it with Pyodide. Its contents are Python's alone. */

/** The version of unpanic, which must be that of the Python package. */
export const version: string;
