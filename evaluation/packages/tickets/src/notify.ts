/** Mails about what happens to tickets. */

export interface Mailer {
  send(to: string, subject: string): Promise<void>;
}

export class Notifier {
  constructor(
    private readonly mailer: Mailer,
    private readonly log: (line: string) => void,
  ) {}

  /** Tell everybody; one who cannot be told keeps no other from it. */
  async tell(names: readonly string[], subject: string): Promise<number> {
    let told = 0;
    for (const name of names) {
      try {
        await this.mailer.send(name, subject);
        told += 1;
      } catch (error) {
        this.log(`no mail to ${name}: ${String(error)}`);
      }
    }
    return told;
  }
}
