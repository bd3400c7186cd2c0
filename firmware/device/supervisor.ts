// The watchdog is fed only when every task has run: an interval that the engine removed stops the board, and it starts anew.

export interface SupervisorState {
  /** Seconds since boot at which each task last ran. */
  readonly lastS: { readonly [task: string]: number };
}

/** Pure: whether all tasks have run within their limits, and which has not. */
export function lateTask(
  state: SupervisorState,
  limitsS: { readonly [task: string]: number },
  nowS: number,
): string | undefined {
  const tasks = Object.keys(limitsS);
  for (let i = 0; i < tasks.length; i++) {
    const task = tasks[i] as string;
    const last = state.lastS[task];
    if (nowS - (last === undefined ? 0 : last) > (limitsS[task] as number)) return task;
  }
  return undefined;
}

export interface Supervisor {
  ran(task: string): void;
  /** Called regularly: feeds the watchdog, or lets it bite. */
  check(): void;
}

export function createSupervisor(options: {
  readonly limitsS: { readonly [task: string]: number };
  readonly uptime: () => number;
  readonly kick: () => void;
}): Supervisor {
  const lastS: { [task: string]: number } = {};
  return {
    ran: (task) => {
      lastS[task] = options.uptime();
    },
    check: () => {
      if (lateTask({ lastS: lastS }, options.limitsS, options.uptime()) === undefined) options.kick();
    },
  };
}
