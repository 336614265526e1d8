//! Partition tables judged by sgdisk and sfdisk.

use std::os::unix::fs::FileExt;

use icos::gpt::{self, Partition, Table};
use uuid::uuid;

use crate::support::judge::{judge, run};

fn guestos() -> Table {
    let linux = uuid!("0FC63DAF-8483-4772-8E79-3D69D8477DE4");
    let partition = |name: &str, kind, guid, start_sector, sectors| Partition {
        name: name.to_owned(),
        kind,
        guid,
        start_sector,
        sectors,
        attributes: 0,
    };
    Table {
        guid: uuid!("2B110BB7-CDEC-7D41-B97E-893EDCBE5428"),
        disk_sectors: 88_696_832 + 2048,
        partitions: vec![
            partition(
                "esp",
                uuid!("C12A7328-F81F-11D2-BA4B-00A0C93EC93B"),
                uuid!("B78084E2-3363-1346-8C25-D426F26B8928"),
                2048,
                204_800,
            ),
            partition("grub", linux, uuid!("6788E4CF-F456-104E-9A34-A2C58CFB0EE6"), 206_848, 204_800),
            partition("B_var", linux, uuid!("2237D1D1-CE96-584E-8EC5-8AE6661FAAE9"), 67_725_312, 20_971_520),
        ],
    }
}

fn image(table: &Table) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a scratch file");
    file.as_file().set_len(table.disk_sectors * gpt::SECTOR).expect("room for a sparse file");
    gpt::write(table, file.as_file()).expect("written");
    file
}

#[test]
fn reads_what_it_writes() {
    let table = guestos();
    let file = image(&table);
    assert_eq!(gpt::read(file.as_file()).expect("a good table"), table);
}

#[test]
fn sgdisk_and_sfdisk_agree() {
    let table = guestos();
    let file = image(&table);
    if let Some(mut sgdisk) = judge("sgdisk") {
        let (code, out, _) = run(sgdisk.arg("-v").arg(file.path()));
        assert!(code == 0 && out.contains("No problems found"), "{out}");
    }
    if let Some(mut sfdisk) = judge("sfdisk") {
        let (code, out, err) = run(sfdisk.arg("-d").arg(file.path()));
        assert_eq!(code, 0, "{err}");
        let lines: Vec<_> =
            out.lines().filter(|l| l.contains("start=")).map(|l| l.split(" : ").nth(1).unwrap()).collect();
        let expect: Vec<_> = table
            .partitions
            .iter()
            .map(|p| {
                format!(
                    "start={:>12}, size={:>12}, type={}, uuid={}, name=\"{}\"",
                    p.start_sector,
                    p.sectors,
                    p.kind.to_string().to_uppercase(),
                    p.guid.to_string().to_uppercase(),
                    p.name
                )
            })
            .collect();
        assert_eq!(lines, expect);
        assert!(out.contains("label-id: 2B110BB7-CDEC-7D41-B97E-893EDCBE5428"), "{out}");
    }
}

#[test]
fn every_flipped_byte_is_noticed() {
    let table = Table { disk_sectors: 4096, partitions: guestos().partitions[..1].to_vec(), ..guestos() };
    let table =
        Table { partitions: table.partitions.into_iter().map(|p| Partition { sectors: 1024, ..p }).collect(), ..table };
    let file = image(&table);
    let last = table.disk_sectors * 512;
    for offset in [446, 450, 454, 458, 510, 512, 520, 560, 600, 1024, 1030, 1100, 16_000, last - 512, last - 33 * 512] {
        let mut byte = [0];
        file.as_file().read_exact_at(&mut byte, offset).expect("readable");
        file.as_file().write_all_at(&[byte[0] ^ 0x40], offset).expect("writable");
        assert!(gpt::read(file.as_file()).is_err(), "byte {offset}");
        file.as_file().write_all_at(&byte, offset).expect("writable");
    }
    assert!(gpt::read(file.as_file()).is_ok());
}
