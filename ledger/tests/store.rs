//! The contract of a store, told once and held by both: each story below runs on SQLite and on PostgreSQL.
//!
//! `PROBITY_TEST_POSTGRES` names the server to use; every story makes a database of its own there and removes it. Stories
//! that only one of the two can have are in `sqlite.rs` and `postgres.rs`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "store/appends.rs"]
mod appends;
#[path = "store/harness.rs"]
mod harness;
#[path = "store/kept.rs"]
mod kept;
#[path = "store/leases.rs"]
mod leases;
#[path = "store/postgres.rs"]
mod postgres;
#[path = "store/reads.rs"]
mod reads;
#[path = "store/sqlite.rs"]
mod sqlite;
#[path = "store/uploads.rs"]
mod uploads;

/// Makes a test on each database of every story.
macro_rules! on_both {
    ($($file:ident: $($story:ident),+;)+) => {
        mod on_sqlite {
            $($(
                #[tokio::test]
                async fn $story() {
                    let db = crate::harness::Database::sqlite().await;
                    crate::$file::$story(&db).await;
                    db.remove().await;
                }
            )+)+
        }

        mod on_postgres {
            $($(
                #[tokio::test]
                async fn $story() {
                    let db = crate::harness::Database::postgres().await;
                    crate::$file::$story(&db).await;
                    db.remove().await;
                }
            )+)+
        }
    };
}

on_both! {
    appends:
        an_append_is_read_back,
        an_append_that_expects_another_row_is_a_conflict_and_writes_nothing,
        of_many_writers_of_one_log_each_append_is_won_by_one,
        an_append_that_fails_in_the_middle_leaves_nothing,
        logs_that_commit_together_fail_apart,
        an_append_that_contradicts_itself_is_refused,
        an_append_of_ten_thousand_records_is_whole,
        heads_are_the_same_after_a_reopening,
        two_creators_of_one_log_get_the_same_row;
    reads:
        records_are_read_by_sequence,
        records_are_read_by_subject,
        records_are_read_by_time,
        a_page_ends_at_its_bytes,
        a_log_does_not_show_in_another,
        leaves_and_subject_heads_are_those_of_the_records,
        subjects_come_in_order_each_with_its_newest_record_of_a_part,
        a_reader_sees_whole_appends_only;
    kept:
        a_later_alias_takes_the_place_of_the_earlier,
        idempotency_rows_are_kept_replaced_and_forgotten,
        attachments_are_named_by_content_and_listed_by_name,
        a_snapshot_takes_the_place_of_the_one_before,
        tiles_are_kept_once_and_counted_up_to_the_first_gap,
        cosignatures_are_kept_for_good_and_the_newest_come_first,
        time_stamps_are_kept_for_good_and_listed_from_the_newest,
        disclosures_are_kept_until_their_person_is_erased,
        a_checkpoint_is_kept_with_its_append_or_not_at_all;
    uploads:
        an_upload_is_there_when_it_is_whole_and_not_before,
        uploads_of_a_log_share_a_quota_from_their_beginning_on,
        what_an_append_erases_is_gone_and_its_record_is_kept,
        an_append_names_what_is_there_or_is_not_done,
        what_nobody_needs_is_swept_and_what_is_named_stays,
        sweeping_and_naming_at_once_never_lose_what_is_named;
    leases:
        a_claim_raises_the_epoch_and_fences_the_writer_before_it,
        a_log_that_is_not_there_cannot_be_claimed,
        a_release_gives_everything_up,
        a_store_opened_to_read_reads_beside_the_writer_and_writes_nothing,
        a_closed_store_says_so,
        a_faulty_store_fails_in_each_way_and_then_works;
}
