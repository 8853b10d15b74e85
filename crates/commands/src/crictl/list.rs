//! `crictl ps`, `pods` and `images`: tables, ids, or trees.
//! Models cmd/crictl/{container,sandbox,image,display}.go and docker/go-units.

use node::cri::ImageStatus;
use node::reference::Reference;

use super::inspect::{container_tree, image_tree, sandbox_tree};
use super::pick::{Filter, POD_NAME, POD_NAMESPACE, label, ready, state_of};
use super::{Done, Session};
use crate::args::Args;

/// How much of an id a table shows.
const SHORT: usize = 13;

impl Session {
    pub(super) async fn ps(&mut self, args: &Args) -> Done {
        let all = self.containers().await?;
        let shown = Filter::read(args)?.containers(all, args.has('a'));
        let images = self.images().await?;
        if let Some(format) = args.value('o').filter(|format| &***format != "table") {
            let items: Vec<_> = shown.iter().map(|c| container_tree(c, &images)).collect();
            let tree = api::object! { "containers": items };
            return self.print_tree(&tree, format).await;
        }
        let now = self.io.now().await;
        let mut rows = vec![
            [
                "CONTAINER",
                "IMAGE",
                "CREATED",
                "STATE",
                "NAME",
                "ATTEMPT",
                "POD ID",
                "POD",
                "NAMESPACE",
            ]
            .map(str::to_owned)
            .to_vec(),
        ];
        let wanted = args.value('\u{4}');
        for container in &shown {
            let id = image_id(&container.image, &images);
            if wanted.is_some_and(|image| !id.contains(&**image) && *container.image != **image) {
                continue;
            }
            let labels = &container.config.labels;
            rows.push(vec![
                short(&container.id, args),
                short(id.strip_prefix("sha256:").unwrap_or(&id), args),
                ago(now.since(container.created_at).as_secs()),
                state_of(container).to_owned(),
                container.config.name.to_string(),
                container.config.attempt.to_string(),
                short(&container.sandbox, args),
                label(labels, POD_NAME).to_string(),
                label(labels, POD_NAMESPACE).to_string(),
            ]);
        }
        let ids = shown.iter().map(|container| container.id.to_string());
        self.show(args, ids.collect(), &rows).await
    }

    pub(super) async fn pods(&mut self, args: &Args) -> Done {
        let all = self.sandboxes().await?;
        let shown = Filter::read(args)?.sandboxes(all);
        if let Some(format) = args.value('o').filter(|format| &***format != "table") {
            let items: Vec<_> = shown.iter().map(|s| sandbox_tree(s)).collect();
            return self
                .print_tree(&api::object! { "items": items }, format)
                .await;
        }
        let now = self.io.now().await;
        let mut rows = vec![
            [
                "POD ID",
                "CREATED",
                "STATE",
                "NAME",
                "NAMESPACE",
                "ATTEMPT",
                "RUNTIME",
            ]
            .map(str::to_owned)
            .to_vec(),
        ];
        for sandbox in &shown {
            rows.push(vec![
                short(&sandbox.id, args),
                ago(now.since(sandbox.created_at).as_secs()),
                ready(sandbox).to_owned(),
                sandbox.config.name.to_string(),
                sandbox.config.namespace.to_string(),
                sandbox.config.attempt.to_string(),
                "(default)".to_owned(),
            ]);
        }
        let ids = shown.iter().map(|sandbox| sandbox.id.to_string());
        self.show(args, ids.collect(), &rows).await
    }

    pub(super) async fn list_images(&mut self, args: &Args) -> Done {
        let mut images = self.images().await?;
        if let Some(wanted) = args.operands.first() {
            let full = Reference::parse(wanted).map(|reference| reference.name());
            let full = full.unwrap_or_else(|_| wanted.to_string());
            images.retain(|image| image.repo_tags.iter().any(|tag| tag.starts_with(&full)));
        }
        if let Some(format) = args.value('o').filter(|format| &***format != "table") {
            let items: Vec<_> = images.iter().map(image_tree).collect();
            return self
                .print_tree(&api::object! { "images": items }, format)
                .await;
        }
        let digests = args.has('\u{7}');
        let mut rows = vec![match digests {
            true => row(["IMAGE", "TAG", "DIGEST", "IMAGE ID", "SIZE"]),
            false => row(["IMAGE", "TAG", "IMAGE ID", "SIZE"]),
        }];
        for image in &images {
            let id = image.id.strip_prefix("sha256:").unwrap_or(&image.id);
            let digest = image
                .repo_digests
                .first()
                .and_then(|name| name.split_once('@'));
            let digest = digest.map_or("<none>", |(_, digest)| digest);
            let named = |name: &str| {
                name.rsplit_once(':')
                    .map(|(n, t)| (n.to_owned(), t.to_owned()))
            };
            let mut tags: Vec<(String, String)> = image
                .repo_tags
                .iter()
                .filter_map(|name| named(name))
                .collect();
            if tags.is_empty() {
                let name = image
                    .repo_digests
                    .first()
                    .and_then(|name| name.split_once('@'));
                tags.push((
                    name.map_or("<none>", |(n, _)| n).to_owned(),
                    "<none>".to_owned(),
                ));
            }
            for (name, tag) in tags {
                let mut cells = vec![name, tag];
                if digests {
                    cells.push(short(digest.trim_start_matches("sha256:"), args));
                }
                cells.extend([short(id, args), size(image.size)]);
                rows.push(cells);
            }
        }
        let ids = images.iter().map(|image| image.id.to_string());
        self.show(args, ids.collect(), &rows).await
    }

    /// The ids alone if that is asked for, or the table.
    async fn show(&self, args: &Args, ids: Vec<String>, rows: &[Vec<String>]) -> Done {
        let text = match args.has('q') {
            true => ids.iter().map(|id| format!("{id}\n")).collect(),
            false => table(rows),
        };
        self.io.print(&text).await;
        Ok(())
    }
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn short(id: &str, args: &Args) -> String {
    match args.has('\u{6}') {
        true => id.to_owned(),
        false => id.chars().take(SHORT).collect(),
    }
}

/// The id of the image of a name.
pub(super) fn image_id(name: &str, images: &[ImageStatus]) -> String {
    let has = |image: &&ImageStatus| {
        let mut names = image.repo_tags.iter().chain(&image.repo_digests);
        *image.id == *name || names.any(|own| &**own == name)
    };
    images
        .iter()
        .find(has)
        .map_or(name, |image| &*image.id)
        .to_owned()
}

/// Columns of at least twenty, three blanks between them.
fn table(rows: &[Vec<String>]) -> String {
    let mut widths = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 20);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count() + 3);
        }
    }
    let mut text = String::new();
    for row in rows {
        let (last, cells) = row.split_last().expect("a table has columns");
        for (cell, width) in cells.iter().zip(&widths) {
            text.push_str(&format!("{cell:width$}"));
        }
        text.push_str(&format!("{last}\n"));
    }
    text
}

/// How long ago something was, as go-units says it.
fn ago(secs: u64) -> String {
    let (minutes, hours) = (secs / 60, (secs + 1800) / 3600);
    let span = match () {
        () if secs < 1 => "Less than a second".to_owned(),
        () if secs == 1 => "1 second".to_owned(),
        () if secs < 60 => format!("{secs} seconds"),
        () if minutes == 1 => "About a minute".to_owned(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".to_owned(),
        () if hours < 48 => format!("{hours} hours"),
        () if hours < 24 * 14 => format!("{} days", hours / 24),
        () if hours < 24 * 60 => format!("{} weeks", hours / 24 / 7),
        () if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        () => format!("{} years", hours / 24 / 365),
    };
    format!("{span} ago")
}

/// A size of three digits, as go-units says it.
fn size(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let (mut unit, mut base) = (0, 1u64);
    while bytes / base >= 1000 && unit + 1 < units.len() {
        (unit, base) = (unit + 1, base * 1000);
    }
    let number = match bytes / base {
        0..10 => {
            let hundredths = (bytes * 100 + base / 2) / base;
            format!("{}.{:02}", hundredths / 100, hundredths % 100)
        }
        10..100 => {
            let tenths = (bytes * 10 + base / 2) / base;
            format!("{}.{}", tenths / 10, tenths % 10)
        }
        _ => ((bytes + base / 2) / base).to_string(),
    };
    let number = match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => &number,
    };
    format!("{number}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes_read_as_go_units_has_them() {
        let spans = [0, 1, 59, 60, 119, 120, 3599, 3600, 5399, 5400, 172_800];
        let said: Vec<String> = spans.into_iter().map(ago).collect();
        let expected = "Less than a second, 1 second, 59 seconds, About a minute, About a minute, \
                        2 minutes, 59 minutes, About an hour, About an hour, 2 hours, 2 days";
        assert_eq!(said.join(", ").replace(" ago", ""), expected);
        let sizes = [999, 320_448, 2_222_000, 29_776_484, 72_300_000, 192_900_000];
        let said: Vec<String> = sizes.into_iter().map(size).collect();
        assert_eq!(said.join(" "), "999B 320kB 2.22MB 29.8MB 72.3MB 193MB");
    }

    #[test]
    fn columns_are_at_least_twenty_wide() {
        let rows = [
            row(["POD ID", "NAME"]),
            row(["0123456789abcdef01234", "web"]),
        ];
        let expected = "POD ID                  NAME\n0123456789abcdef01234   web\n";
        assert_eq!(table(&rows), expected);
    }
}
