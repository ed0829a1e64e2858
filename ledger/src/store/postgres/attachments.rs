//! Content beside the records. A part that was answered is on the disk; what an append needs is locked by the append.

use async_trait::async_trait;
use sqlx::PgPool;
use sqlx::postgres::PgConnection;

use super::{PostgresStore, within};
use crate::store::limits::SWEEP_UPLOADS_MAX;
use crate::store::rows::{self, KeptRow, placed, signed, unsigned};
use crate::store::{
    AttachmentStore, ErasedAttachment, KeptAttachment, Leftovers, LogNumber, NamedAttachment,
    NewUpload, StoreError, UploadNumber,
};

#[async_trait]
impl AttachmentStore for PostgresStore {
    async fn begin_upload(&self, new: &NewUpload<'_>) -> Result<Option<UploadNumber>, StoreError> {
        within(begin(self.writers()?, new)).await
    }

    async fn put_part(
        &self,
        upload: UploadNumber,
        part: u32,
        content: &[u8],
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO probity.attachment_parts (upload, part, content) SELECT $1, $2, $3 \
             WHERE EXISTS (SELECT 1 FROM probity.uploads WHERE upload = $1 AND NOT whole)";
        let query = sqlx::query(sql)
            .bind(upload)
            .bind(part.cast_signed())
            .bind(content);
        let done = within(async { Ok(query.execute(self.writers()?).await?) }).await?;
        Ok(done.rows_affected() == 1)
    }

    async fn finish_upload(&self, upload: UploadNumber) -> Result<bool, StoreError> {
        let sql = "UPDATE probity.uploads AS own SET whole = true WHERE upload = $1 AND NOT whole \
             AND size = (SELECT coalesce(sum(octet_length(content)), 0) FROM probity.attachment_parts WHERE upload = $1) \
             AND NOT EXISTS (SELECT 1 FROM probity.uploads AS other \
                 WHERE other.log = own.log AND other.blake3 = own.blake3 AND other.whole)";
        let query = sqlx::query(sql).bind(upload);
        match within(async { Ok(query.execute(self.writers()?).await) }).await? {
            Ok(done) => Ok(done.rows_affected() == 1),
            // Two uploads of one content that end at once: the index lets one of them pass.
            Err(error) if is_unique_violation(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn drop_upload(&self, upload: UploadNumber) -> Result<(), StoreError> {
        let sql = "DELETE FROM probity.uploads WHERE upload = $1 AND NOT whole";
        let query = sqlx::query(sql).bind(upload);
        within(async { Ok(query.execute(self.writers()?).await?) }).await?;
        Ok(())
    }

    async fn renew_upload(
        &self,
        upload: UploadNumber,
        time_micros: i64,
    ) -> Result<bool, StoreError> {
        let sql =
            "UPDATE probity.uploads SET time_micros = greatest(time_micros, $2) WHERE upload = $1";
        let query = sqlx::query(sql).bind(upload).bind(time_micros);
        let done = within(async { Ok(query.execute(self.writers()?).await?) }).await?;
        Ok(done.rows_affected() == 1)
    }

    /// A row that an append has just named is looked at again before it is deleted, and stays.
    async fn sweep_uploads(&self, leftovers: &Leftovers<'_>) -> Result<u64, StoreError> {
        let sql = "DELETE FROM probity.uploads WHERE upload IN (SELECT upload FROM probity.uploads \
                 WHERE NOT whole AND (node = $1 OR time_micros < $2) \
                    OR whole AND first IS NULL AND time_micros < $3 LIMIT $4) \
             AND (NOT whole OR first IS NULL AND time_micros < $3)";
        let query = sqlx::query(sql)
            .bind(leftovers.node)
            .bind(leftovers.unfinished_before_micros)
            .bind(leftovers.unnamed_before_micros)
            .bind(SWEEP_UPLOADS_MAX);
        let gone = within(async { Ok(query.execute(self.writers()?).await?) }).await?;
        Ok(gone.rows_affected())
    }

    async fn attachments(
        &self,
        log: LogNumber,
        names: &[String],
    ) -> Result<Vec<Option<KeptAttachment>>, StoreError> {
        let sql = "SELECT place - 1, wanted.name, found.size, found.upload \
             FROM unnest($2::text[]) WITH ORDINALITY AS wanted (name, place) \
             CROSS JOIN LATERAL ( \
                 SELECT size, NULL::bigint AS upload FROM probity.attachments WHERE log = $1 AND blake3 = wanted.name \
                 UNION ALL \
                 SELECT size, upload FROM probity.uploads WHERE log = $1 AND blake3 = wanted.name AND whole) AS found";
        let query = sqlx::query_as(sql).bind(log).bind(names);
        let found: Vec<(i64, String, i64, Option<i64>)> =
            within(async { Ok(query.fetch_all(&self.readers).await?) }).await?;
        let kept = found
            .into_iter()
            .map(|(place, name, size, upload)| Ok((place, rows::kept(log, (name, size, upload))?)));
        placed(names.len(), kept)
    }

    async fn attachment_erased(
        &self,
        log: LogNumber,
        blake3: &str,
    ) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT sequence FROM probity.erased_attachments WHERE log = $1 AND blake3 = $2";
        let query = sqlx::query_scalar(sql).bind(log).bind(blake3);
        let found: Option<i64> =
            within(async { Ok(query.fetch_optional(&self.readers).await?) }).await?;
        found.map(unsigned).transpose()
    }

    /// Nothing of ours: dead rows and the server's own log are the server's.
    async fn overwrite_deleted(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn attachment_part(
        &self,
        kept: &KeptAttachment,
        part: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let query = match kept.upload {
            Some(upload) => {
                let sql =
                    "SELECT content FROM probity.attachment_parts WHERE upload = $1 AND part = $2";
                sqlx::query_scalar(sql)
                    .bind(upload)
                    .bind(part.cast_signed())
            }
            None => {
                let sql = "SELECT content FROM probity.attachments WHERE log = $1 AND blake3 = $2 AND $3 = 0";
                let query = sqlx::query_scalar(sql).bind(kept.log);
                query.bind(&kept.blake3).bind(part.cast_signed())
            }
        };
        within(async { Ok(query.fetch_optional(&self.readers).await?) }).await
    }

    async fn attachment_bytes(&self, kept: &KeptAttachment) -> Result<u64, StoreError> {
        let query = match kept.upload {
            Some(upload) => {
                let sql = "SELECT coalesce(sum(octet_length(content)), 0)::bigint FROM probity.attachment_parts WHERE upload = $1";
                sqlx::query_scalar(sql).bind(upload)
            }
            None => {
                let sql = "SELECT coalesce(sum(octet_length(content)), 0)::bigint FROM probity.attachments WHERE log = $1 AND blake3 = $2";
                sqlx::query_scalar(sql).bind(kept.log).bind(&kept.blake3)
            }
        };
        unsigned(within(async { Ok(query.fetch_one(&self.readers).await?) }).await?)
    }

    async fn attachment_list(
        &self,
        log: LogNumber,
        records: u64,
        after: &str,
        limit: u32,
    ) -> Result<Vec<KeptAttachment>, StoreError> {
        let sql = "SELECT blake3, max(size), max(upload) FROM ( \
             (SELECT blake3, size, NULL::bigint AS upload FROM probity.attachments \
                 WHERE log = $1 AND first < $2 AND blake3 > $3 ORDER BY blake3 LIMIT $4) \
             UNION ALL (SELECT blake3, size, upload FROM probity.uploads \
                 WHERE log = $1 AND whole AND first < $2 AND blake3 > $3 ORDER BY blake3 LIMIT $4)) AS found \
             GROUP BY blake3 ORDER BY blake3 LIMIT $4";
        let query = sqlx::query_as(sql)
            .bind(log)
            .bind(signed(records)?)
            .bind(after)
            .bind(i64::from(limit));
        let found: Vec<KeptRow> =
            within(async { Ok(query.fetch_all(&self.readers).await?) }).await?;
        found.into_iter().map(|row| rows::kept(log, row)).collect()
    }
}

/// The log's row is locked for a moment, so that two uploads that begin at once see each other's bytes.
async fn begin(pool: &PgPool, new: &NewUpload<'_>) -> Result<Option<UploadNumber>, StoreError> {
    let mut transaction = pool.begin().await?;
    sqlx::query("SELECT FROM probity.logs WHERE log = $1 FOR NO KEY UPDATE")
        .bind(new.log)
        .execute(&mut *transaction)
        .await?;
    let begun = sqlx::query_scalar(
        "INSERT INTO probity.uploads (log, blake3, size, node, time_micros, whole) SELECT $1, $2, $3, $4, $5, false \
         WHERE (SELECT coalesce(sum(size), 0) FROM probity.uploads WHERE log = $1) + $3 <= $6 RETURNING upload",
    )
    .bind(new.log)
    .bind(new.blake3)
    .bind(signed(new.bytes)?)
    .bind(new.node)
    .bind(new.time_micros)
    .bind(signed(new.quota_bytes)?)
    .fetch_optional(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(begun)
}

/// Marks what an append's records name, inside its transaction; `false` when something of it is not there.
pub(super) async fn name(
    connection: &mut PgConnection,
    log: LogNumber,
    first: u64,
    named: &[NamedAttachment],
) -> Result<bool, sqlx::Error> {
    let names: Vec<&str> = named.iter().map(|one| one.blake3.as_str()).collect();
    let sizes: Vec<i64> = named.iter().map(|one| one.bytes.cast_signed()).collect();
    let there: i64 = sqlx::query_scalar(
        "WITH wanted AS (SELECT * FROM unnest($3::text[], $4::bigint[]) AS wanted (blake3, size)), marked AS ( \
             UPDATE probity.uploads AS u SET first = coalesce(u.first, $2) FROM wanted \
             WHERE u.log = $1 AND u.blake3 = wanted.blake3 AND u.size = wanted.size AND u.whole RETURNING u.blake3) \
         SELECT count(*) FROM (SELECT blake3 FROM marked UNION SELECT a.blake3 FROM probity.attachments AS a \
             JOIN wanted ON a.blake3 = wanted.blake3 AND a.size = wanted.size WHERE a.log = $1) AS there",
    )
    .bind(log)
    .bind(first.cast_signed())
    .bind(&names)
    .bind(&sizes)
    .fetch_one(connection)
    .await?;
    Ok(usize::try_from(there) == Ok(named.len()))
}

/// Deletes what an append erases, whole or not, inside its transaction, and notes that it was; parts go with their upload.
pub(super) async fn erase(
    connection: &mut PgConnection,
    log: LogNumber,
    erased: &[ErasedAttachment],
) -> Result<(), sqlx::Error> {
    let names: Vec<&str> = erased.iter().map(|one| one.blake3.as_str()).collect();
    let sequences: Vec<i64> = erased
        .iter()
        .map(|one| one.sequence.cast_signed())
        .collect();
    sqlx::query(
        "WITH inline AS (DELETE FROM probity.attachments WHERE log = $1 AND blake3 = ANY($2)), \
             streamed AS (DELETE FROM probity.uploads WHERE log = $1 AND blake3 = ANY($2)) \
         INSERT INTO probity.erased_attachments (log, blake3, sequence) \
         SELECT $1, blake3, max(sequence) FROM unnest($2::text[], $3::bigint[]) AS new (blake3, sequence) GROUP BY blake3 \
         ON CONFLICT (log, blake3) DO UPDATE SET sequence = excluded.sequence",
    )
    .bind(log)
    .bind(&names)
    .bind(&sequences)
    .execute(connection)
    .await
    .map(drop)
}

fn is_unique_violation(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
