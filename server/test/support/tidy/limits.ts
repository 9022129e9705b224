/** The budgets of the house, each once. */

export const LINE_COLUMNS_MAX = 100;
export const FILE_LINES_SOFT = 300;
export const FILE_LINES_MAX = 400;
export const STAGE_LINES_MAX = 150;
export const TEST_FILE_LINES_MAX = 600;
export const FUNCTION_LINES_MAX = 70;
