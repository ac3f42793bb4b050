/** The parts of the `africastalking` package (0.8.3, without types of its own) that are used. */

declare module 'africastalking' {
  interface BulkText {
    to: string;
    message: string;
    from?: string;
  }
  interface AfricasTalking {
    /** Fulfilled with the body of a 201 alone; rejected with a body, an AxiosError or an Error. */
    SMS: { send(text: BulkText): Promise<unknown> };
  }
  /** Throws when username or key is missing. */
  export default function createAfricasTalking(options: {
    username: string;
    apiKey: string;
  }): AfricasTalking;
}

declare module 'africastalking/lib/common.js' {
  /** Read at every call; common to all instances in the process. */
  const common: { SMS_URL: string };
  export default common;
}
