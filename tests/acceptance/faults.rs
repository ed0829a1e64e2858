//! Real faults, one story each: of the database server, the disk, the clock, the bytes on the disk. In each, nothing acknowledged is lost, no
//! wrong answer is given, the error is clear, and where it is safe nobody has to do anything.

mod clock;
mod corruption;
mod database;
mod disk;
mod full_disk;
mod guard;
mod read_only;
