//! Content beside the records. Each write is a statement that stands alone: a part that was answered is on the disk.

use async_trait::async_trait;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;

use super::SqliteStore;
use crate::store::limits::{SWEEP_UPLOADS_MAX, VACUUM_PAGES_MAX};
use crate::store::rows::{self, KeptRow, placed, signed, unsigned};
use crate::store::{
    AttachmentStore, ErasedAttachment, KeptAttachment, Leftovers, LogNumber, NamedAttachment,
    NewUpload, StoreError, UploadNumber,
};

#[async_trait]
impl AttachmentStore for SqliteStore {
    async fn begin_upload(&self, new: &NewUpload<'_>) -> Result<Option<UploadNumber>, StoreError> {
        let sql = "INSERT INTO uploads (log, blake3, size, node, time_micros, whole) SELECT ?1, ?2, ?3, ?4, ?5, 0 \
             WHERE (SELECT coalesce(sum(size), 0) FROM uploads WHERE log = ?1) + ?3 <= ?6 RETURNING upload";
        let query = sqlx::query_scalar(sql)
            .bind(new.log)
            .bind(new.blake3.to_owned())
            .bind(signed(new.bytes)?)
            .bind(new.node.to_owned())
            .bind(new.time_micros)
            .bind(signed(new.quota_bytes)?);
        // To its end: it commits after its last row.
        let begun = query.fetch_all(&mut *self.writer().await?).await?;
        Ok(begun.into_iter().next())
    }

    async fn put_part(
        &self,
        upload: UploadNumber,
        part: u32,
        content: &[u8],
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO attachment_parts (upload, part, content) SELECT ?1, ?2, ?3 \
             WHERE EXISTS (SELECT 1 FROM uploads WHERE upload = ?1 AND whole = 0)";
        let query = sqlx::query(sql)
            .bind(upload)
            .bind(part)
            .bind(content.to_vec());
        let done = query.execute(&mut *self.writer().await?).await?;
        Ok(done.rows_affected() == 1)
    }

    async fn finish_upload(&self, upload: UploadNumber) -> Result<bool, StoreError> {
        let sql = "UPDATE uploads SET whole = 1 WHERE upload = ?1 AND whole = 0 \
             AND size = (SELECT coalesce(sum(length(content)), 0) FROM attachment_parts WHERE upload = ?1) \
             AND NOT EXISTS (SELECT 1 FROM uploads AS other \
                 WHERE other.log = uploads.log AND other.blake3 = uploads.blake3 AND other.whole = 1)";
        let query = sqlx::query(sql).bind(upload);
        let done = query.execute(&mut *self.writer().await?).await?;
        Ok(done.rows_affected() == 1)
    }

    async fn drop_upload(&self, upload: UploadNumber) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM uploads WHERE upload = ? AND whole = 0").bind(upload);
        query.execute(&mut *self.writer().await?).await?;
        Ok(())
    }

    async fn renew_upload(
        &self,
        upload: UploadNumber,
        time_micros: i64,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE uploads SET time_micros = max(time_micros, ?2) WHERE upload = ?1";
        let query = sqlx::query(sql).bind(upload).bind(time_micros);
        let done = query.execute(&mut *self.writer().await?).await?;
        Ok(done.rows_affected() == 1)
    }

    async fn sweep_uploads(&self, leftovers: &Leftovers<'_>) -> Result<u64, StoreError> {
        let sql = "DELETE FROM uploads WHERE upload IN (SELECT upload FROM uploads \
             WHERE whole = 0 AND (node = ?1 OR time_micros < ?2) \
                OR whole = 1 AND first IS NULL AND time_micros < ?3 LIMIT ?4)";
        let query = sqlx::query(sql)
            .bind(leftovers.node.map(str::to_owned))
            .bind(leftovers.unfinished_before_micros)
            .bind(leftovers.unnamed_before_micros)
            .bind(SWEEP_UPLOADS_MAX);
        let gone = query.execute(&mut *self.writer().await?).await?;
        Ok(gone.rows_affected())
    }

    async fn attachments(
        &self,
        log: LogNumber,
        names: &[String],
    ) -> Result<Vec<Option<KeptAttachment>>, StoreError> {
        let sql = "SELECT wanted.key, wanted.value, a.size, NULL FROM json_each(?2) AS wanted \
             CROSS JOIN attachments AS a ON a.log = ?1 AND a.blake3 = wanted.value \
             UNION ALL SELECT wanted.key, wanted.value, u.size, u.upload FROM json_each(?2) AS wanted \
             CROSS JOIN uploads AS u ON u.log = ?1 AND u.blake3 = wanted.value AND u.whole = 1";
        let found: Vec<(i64, String, i64, Option<i64>)> = sqlx::query_as(sql)
            .bind(log)
            .bind(super::read::json(names))
            .fetch_all(&self.readers)
            .await?;
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
        let sql = "SELECT sequence FROM erased_attachments WHERE log = ? AND blake3 = ?";
        let query = sqlx::query_scalar(sql).bind(log).bind(blake3.to_owned());
        let found: Option<i64> = query.fetch_optional(&self.readers).await?;
        found.map(unsigned).transpose()
    }

    /// What became free was overwritten then (`secure_delete`). What is left: copies in the slack of pages, from when rows were moved,
    /// which go when the file is written anew; and the write-ahead log, which is copied back and emptied.
    async fn overwrite_deleted(&self) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        let sql = "SELECT count(*) FROM erased_attachments WHERE overwritten = 0";
        let due: i64 = sqlx::query_scalar(sql).fetch_one(&mut *writer).await?;
        if due == 0 {
            return Ok(());
        }
        let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
            .fetch_one(&mut *writer)
            .await?;
        if pages <= VACUUM_PAGES_MAX {
            sqlx::query("VACUUM").execute(&mut *writer).await?;
        } else {
            tracing::warn!(
                "store: the file is too large to be written anew now: VACUUM it when the server is stopped"
            );
        }
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let (busy, _, _): (i64, i64, i64) = sqlx::query_as(sql).fetch_one(&mut *writer).await?;
        if busy != 0 {
            return Err(StoreError::Read);
        }
        sqlx::query("UPDATE erased_attachments SET overwritten = 1 WHERE overwritten = 0")
            .execute(&mut *writer)
            .await?;
        Ok(())
    }

    async fn attachment_part(
        &self,
        kept: &KeptAttachment,
        part: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let query = match kept.upload {
            Some(upload) => {
                let sql = "SELECT content FROM attachment_parts WHERE upload = ? AND part = ?";
                sqlx::query_scalar(sql).bind(upload).bind(part)
            }
            None => {
                let sql =
                    "SELECT content FROM attachments WHERE log = ?1 AND blake3 = ?2 AND ?3 = 0";
                let query = sqlx::query_scalar(sql).bind(kept.log);
                query.bind(kept.blake3.clone()).bind(part)
            }
        };
        Ok(query.fetch_optional(&self.readers).await?)
    }

    async fn attachment_bytes(&self, kept: &KeptAttachment) -> Result<u64, StoreError> {
        bytes(&self.readers, kept).await
    }

    async fn attachment_list(
        &self,
        log: LogNumber,
        records: u64,
        after: &str,
        limit: u32,
    ) -> Result<Vec<KeptAttachment>, StoreError> {
        let sql = "SELECT blake3, max(size), max(upload) FROM ( \
             SELECT * FROM (SELECT blake3, size, NULL AS upload FROM attachments \
                 WHERE log = ?1 AND first < ?2 AND blake3 > ?3 ORDER BY blake3 LIMIT ?4) \
             UNION ALL SELECT * FROM (SELECT blake3, size, upload FROM uploads \
                 WHERE log = ?1 AND whole = 1 AND first < ?2 AND blake3 > ?3 ORDER BY blake3 LIMIT ?4)) \
             GROUP BY blake3 ORDER BY blake3 LIMIT ?4";
        let found: Vec<KeptRow> = sqlx::query_as(sql)
            .bind(log)
            .bind(signed(records)?)
            .bind(after.to_owned())
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        found.into_iter().map(|row| rows::kept(log, row)).collect()
    }
}

/// Deletes what an append erases, whole or not, and notes that it was; its parts go with it.
pub(super) async fn erase(
    connection: &mut SqliteConnection,
    log: LogNumber,
    erased: &[ErasedAttachment],
) -> Result<(), sqlx::Error> {
    for one in erased {
        for sql in [
            "DELETE FROM attachments WHERE log = ? AND blake3 = ?",
            "DELETE FROM uploads WHERE log = ? AND blake3 = ?",
        ] {
            let query = sqlx::query(sql).bind(log).bind(one.blake3.clone());
            query.execute(&mut *connection).await?;
        }
        sqlx::query(
            "INSERT INTO erased_attachments (log, blake3, sequence, overwritten) VALUES (?, ?, ?, 0) \
             ON CONFLICT (log, blake3) DO UPDATE SET sequence = excluded.sequence, overwritten = 0",
        )
        .bind(log)
        .bind(one.blake3.clone())
        .bind(one.sequence.cast_signed())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn bytes(pool: &SqlitePool, kept: &KeptAttachment) -> Result<u64, StoreError> {
    let query = match kept.upload {
        Some(upload) => {
            let sql =
                "SELECT coalesce(sum(length(content)), 0) FROM attachment_parts WHERE upload = ?";
            sqlx::query_scalar(sql).bind(upload)
        }
        None => {
            let sql = "SELECT coalesce(sum(length(content)), 0) FROM attachments WHERE log = ? AND blake3 = ?";
            sqlx::query_scalar(sql)
                .bind(kept.log)
                .bind(kept.blake3.clone())
        }
    };
    unsigned(query.fetch_one(pool).await?)
}

/// Marks what an append's records name, inside its transaction; `false` when something of it is not there.
pub(super) async fn name(
    connection: &mut SqliteConnection,
    log: LogNumber,
    first: u64,
    named: &[NamedAttachment],
) -> Result<bool, sqlx::Error> {
    for attachment in named {
        let marked = sqlx::query(
            "UPDATE uploads SET first = coalesce(first, ?) WHERE log = ? AND blake3 = ? AND size = ? AND whole = 1",
        )
        .bind(first.cast_signed())
        .bind(log)
        .bind(attachment.blake3.clone())
        .bind(attachment.bytes.cast_signed())
        .execute(&mut *connection)
        .await?;
        if marked.rows_affected() == 1 {
            continue;
        }
        let sql = "SELECT count(*) FROM attachments WHERE log = ? AND blake3 = ? AND size = ?";
        let there: i64 = sqlx::query_scalar(sql)
            .bind(log)
            .bind(attachment.blake3.clone())
            .bind(attachment.bytes.cast_signed())
            .fetch_one(&mut *connection)
            .await?;
        if there == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}
