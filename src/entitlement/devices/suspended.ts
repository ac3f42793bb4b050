/** Who has suspended a card that was declared lost, stolen or faulty. */
export const DEVICE_SUSPENSION = 'devices';
