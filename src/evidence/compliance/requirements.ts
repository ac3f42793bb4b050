/** Every requirement of the compliance pack, in its order, with what looks into it. */
import type { Check } from './ask.ts';
import * as access from './checks-access.ts';
import * as air from './checks-air.ts';
import * as log from './checks-log.ts';
import * as records from './checks-records.ts';
import * as shown from './checks-shown.ts';
import * as systems from './checks-systems.ts';

export interface Requirement {
  number: string;
  /** In our own words. */
  says: string;
  check: Check;
}

const { outside, supported } = systems;
const row = (number: string, says: string, check: Check): Requirement => ({ number, says, check });

const LINE = {
  command_log: ['id', 'at', 'sent_at', 'cmd_id'],
  audit: ['id', 'at', 'request_id'],
  journal: ['id', 'effective_at'],
};
const PERSON = { audit: ['actor', 'role', 'remote'] };

/** C: systems and subscribers. D: fingerprints. E: decoders. IX: technical. X: contracts. */
export const REQUIREMENTS: readonly Requirement[] = [
  row(
    'C-1',
    'No system with a known break-in; its vendor declares so',
    systems.systemsAreDeclaredSafe,
  ),
  row('C-2', 'Every command is logged here, and kept two years', log.commandsAreLogged),
  row('C-3', 'Data and logs cannot be altered', log.logsCannotBeAltered),
  row('C-4', 'Nobody activates from the terminal of the system', air.noForeignWrites),
  row('C-5', 'Both sides change together and show the same', air.sidesAgree),
  row('C-6', 'Decoders can be upgraded over the air', systems.decodersAreKnown),
  row(
    'C-7',
    'No device or software undoes a fingerprint',
    supported('FINGERPRINT', 'That it cannot be undone is seen on a decoder, not in data.'),
  ),
  row('C-8', 'A twentieth of the base can be changed within a day', air.aTwentiethADay),
  row('C-9', 'Card and decoder are paired from here', records.cardsArePaired),
  row('C-10', 'Each card and each channel by itself', air.channelByChannel),
  row('C-11', 'The record of a subscriber is complete', records.subscribersAreRecorded),
  row('C-12', 'History and place of every device; who asked', records.devicesAreFound),
  row('C-13', 'Ten reports for any instant', air.tenReports),
  row('C-14', 'The system logs by itself', log.systemsLogThemselves),
  row('C-15', 'What is blacklisted is never used again', records.blacklistHolds),
  row('C-16', 'Reports from the system’s own log', log.systemsReport),
  row('C-17', 'Itemised bills', records.billsAreItemised),
  row('C-18', 'The vendor helps day and night', outside('It is in the contract with the vendor.')),
  row('C-19', 'Every system in service is declared', systems.systemsAreDeclared),
  row('C-20', 'Who is switched off sees nothing that is paid for', air.offIsDark),
  row('C-21', 'Unedited data is kept two years', log.dataIsKept),
  row('D-1', 'Fingerprints at regular intervals', systems.fingerprintsAreRegular),
  row('D-2', 'Fingerprints that are seen and that are hidden', systems.fingerprintsAreOfBothKinds),
  row(
    'D-3',
    'Fingerprints above everything, never removed',
    supported('FINGERPRINT', 'What lies above what is seen on a decoder.'),
  ),
  row('D-4', 'A fingerprint says the card or the decoder', shown.fingerprintsSayANumber),
  row('D-5', 'Place and colours are set from here, or by chance', shown.fingerprintsAreSetFromHere),
  row('D-6', 'Fingerprints for all and for one', shown.fingerprintsReachAllAndOne),
  row(
    'D-7',
    'A broadcaster’s own fingerprint passes',
    outside('It is a matter of the signal’s path.'),
  ),
  row(
    'D-8',
    'Scrolling messages stay in the lower part',
    supported('OSD', 'Where a text scrolls is seen on a decoder.'),
  ),
  row('D-9', 'The network’s mark is set before the air', outside('It is set at the encoder.')),
  row('E-1', 'Each decoder is addressed by itself', shown.decodersAreAddressed),
  row('E-2', 'Messages of at least 120 characters', systems.messagesAreLongEnough),
  row('E-3', 'Messages to all, to a group, to one', systems.messagesGoToAnyGroup),
  row('E-4', 'Messages that cover the picture', systems.messagesAreForced),
  row(
    'E-5',
    'Fingerprints by both kinds of control message',
    supported('FINGERPRINT', 'By which message it goes, the system alone knows.'),
  ),
  row(
    'E-6',
    'Addressed over the air; copies are protected',
    outside('It is a matter of the decoder’s maker.'),
  ),
  row('IX-1', 'Each line of a log has its own number and time', access.linesAreWhole(LINE)),
  row('IX-2', 'Each act has person, role and address', access.actsHavePeople(PERSON)),
  row('IX-3', 'No role deletes a log', access.nobodyDeletesLogs),
  row('IX-4', 'Only listed devices are activated', access.onlyListedDevices),
  row('IX-5', 'Files of makers are taken in whole and proved', access.filesAreProved),
  row('IX-6', 'Roles, passwords, a second factor', access.peopleAreLetInByRules),
  row('IX-7', 'What people did is reported', access.actsAreReported),
  row('IX-8', 'A second server keeps up', access.serverIsFollowed),
  row('IX-9', 'The link to each system is encrypted', access.linksAreSealed),
  row('IX-10', 'An alarm when the two sides differ', access.divergenceIsTold),
  row('IX-11', 'No database is shared with a system', access.noSharedDatabase),
  row(
    'X-1',
    'The system is certified for a million cards',
    outside('It is in the certificate of the system.'),
  ),
  row('X-2', 'A card cannot move to another area unnoticed', access.cardsStayInTheirArea),
  row('X-3', 'Changes of customers’ records are held', access.changesAreHeld),
  row('X-4', 'Free, test and staff subscribers are told apart', access.categoriesAreTold),
  row('X-5', 'The query behind each number is shown', log.queriesAreShown),
  row('X-6', 'From acquisition to the end can be walked through', access.lifeCanBeWalked),
];
