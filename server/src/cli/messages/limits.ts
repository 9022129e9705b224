/**
 * What the command line says of limits and budgets, in both languages.
 */
export const limitsEn = {
  verbs: {
    'keys limits': 'show or set limits and the budget of an API key',
    'users limits': 'show or set limits and the budget of a person',
    budgets: 'list budgets, with what the ledger has booked in their period',
  },
  said: {
    keyChanged: (id: string) => `Key ${id} was changed.`,
    noBudgets: 'Nobody has a budget.',
    scope: 'OF',
    spent: 'BOOKED',
    share: 'SHARE',
    renews: 'RENEWS (UTC)',
    never: 'never',
  },
};

export type LimitMessages = typeof limitsEn;

export const limitsEs: LimitMessages = {
  verbs: {
    'keys limits': 'muestra o fija los límites y el presupuesto de una clave de API',
    'users limits': 'muestra o fija los límites y el presupuesto de una persona',
    budgets: 'lista los presupuestos, con lo anotado en el libro en su periodo',
  },
  said: {
    keyChanged: (id) => `La clave ${id} se ha cambiado.`,
    noBudgets: 'Nadie tiene presupuesto.',
    scope: 'DE',
    spent: 'ANOTADO',
    share: 'PARTE',
    renews: 'SE RENUEVA (UTC)',
    never: 'nunca',
  },
};
