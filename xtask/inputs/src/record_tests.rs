use super::*;
use proptest::prelude::*;

fn stamp() -> impl Strategy<Value = Stamp> {
    (0..5_u8, any::<u64>(), any::<i64>(), any::<i64>(), any::<u64>()).prop_map(
        |(kind, size_bytes, modified_ns, changed_ns, inode)| Stamp {
            kind: Kind::from_byte(kind).unwrap(),
            size_bytes,
            modified_ns,
            changed_ns,
            inode,
        },
    )
}

fn as_records(known: &BTreeMap<Vec<u8>, (Stamp, Digest)>) -> Vec<Remembered<'_>> {
    let record = |(path, (stamp, digest)): (_, &(Stamp, Digest))| {
        let path: &Vec<u8> = path;
        Remembered { path, stamp: *stamp, digest: *digest }
    };
    known.iter().map(record).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn records_round_trip_and_damage_is_found(
        known in prop::collection::btree_map(
            prop::collection::vec(any::<u8>(), 1..20), (stamp(), any::<Digest>()), 0..20,
        ),
        damage in any::<prop::sample::Index>(),
        bit in 0..8_u8,
        cut in any::<prop::sample::Index>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/files.stat");
        Records::default().replace(&path, as_records(&known).into_iter()).unwrap();
        prop_assert_eq!(path.exists(), !known.is_empty());
        let loaded = Records::load(&path);
        prop_assert_eq!(loaded.iter().collect::<Vec<_>>(), as_records(&known));
        if !known.is_empty() {
            let mut bytes = fs::read(&path).unwrap();
            let cut = cut.index(bytes.len());
            fs::write(&path, &bytes[..cut]).unwrap();
            prop_assert_eq!(Records::load(&path).iter().count(), 0);
            let at = damage.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
            fs::write(&path, &bytes).unwrap();
            prop_assert_eq!(Records::load(&path).iter().count(), 0);
        }
    }
}

#[test]
fn what_did_not_change_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("files.stat");
    let stamp = Stamp { kind: Kind::File, size_bytes: 1, modified_ns: 2, changed_ns: 3, inode: 4 };
    let known = BTreeMap::from([(b"a".to_vec(), (stamp, [7; 32]))]);
    Records::default().replace(&path, as_records(&known).into_iter()).unwrap();
    let before = Stamp::of(&fs::metadata(&path).unwrap());
    Records::load(&path).replace(&path, as_records(&known).into_iter()).unwrap();
    assert_eq!(Stamp::of(&fs::metadata(&path).unwrap()), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn only_a_stamp_older_than_the_clocks_tick_is_settled() {
    let second = 1_000_000_000;
    let stamp = |modified_ns, changed_ns| Stamp {
        kind: Kind::File,
        size_bytes: 1,
        modified_ns,
        changed_ns,
        inode: 1,
    };
    assert!(stamp(5, second + 1).is_settled(second + second / 10));
    assert!(!stamp(5, second + 1).is_settled(second + 2));
    // A time that a program set back hides nothing: the other one tells.
    assert!(!stamp(5, second).is_settled(second));
    // A file system that counts in whole seconds.
    assert!(!stamp(0, 10 * second).is_settled(11 * second));
    assert!(stamp(0, 10 * second).is_settled(13 * second));
    // A time in the future never settles.
    assert!(!stamp(i64::MAX, 5).is_settled(second));
}

#[test]
fn the_record_of_outputs_sees_an_edit_that_keeps_size_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    fs::write(&file, "old").unwrap();
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    let state = folder.path().join("state/outputs.stat");
    let mut record = Record::load(&state);
    let old = record.content(folder.path(), b"out").unwrap();
    record.save().unwrap();
    fs::write(&file, "new").unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
    let mut record = Record::load(&state);
    assert_ne!(record.content(folder.path(), b"out").unwrap(), old);
    assert!(record.content(folder.path(), b"none").is_err());
}
