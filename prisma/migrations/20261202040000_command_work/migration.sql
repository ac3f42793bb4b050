-- Work for people of commands about devices that a system refused for good. An item is of a card,
-- whose set is refused, or of one command; what that is about stands in the command.
ALTER TABLE work_item
  ALTER COLUMN card_id DROP NOT NULL,
  ADD COLUMN command_id bigint UNIQUE REFERENCES cas_command (id),
  ADD CHECK ((card_id IS NULL) <> (command_id IS NULL));
