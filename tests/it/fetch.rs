//! Downloads from archives that are right and archives that misbehave.

use crate::support::{
    archive::{Archive, Suite},
    deb::Deb,
    judge::{judge, run},
};

/// What the other tests build on: apt takes the test archive for a real one, and dpkg-deb its packages.
#[test]
fn apt_accepts_the_test_archive() {
    let (Some(archive), Some(mut apt)) = (Archive::new(), judge("apt-get")) else { return };
    let a = Deb::new("a", "1:2.0-1").field("Depends", "b (>= 1)").file("usr/bin/a", b"#!/bin/sh\n");
    let b = Deb::new("b", "1.5");
    archive.publish(&Suite::new("sid").with(&[archive.add(&a), archive.add(&b)]));
    let home = tempfile::tempdir().expect("a folder");
    let path = |name: &str| home.path().join(name).display().to_string();
    for folder in ["lists/partial", "archives/partial", "log"] {
        fs_err::create_dir_all(path(folder)).expect("writable");
    }
    fs_err::write(path("status"), "").expect("writable");
    fs_err::write(path("key.asc"), archive.certificate()).expect("writable");
    let source = format!("deb [arch=amd64 signed-by={}] {} sid main\n", path("key.asc"), archive.uri());
    fs_err::write(path("sources.list"), source).expect("writable");
    let config = format!(
        "APT::Architecture \"amd64\"; APT::Architectures \"amd64\"; APT::Sandbox::User \"\"; Dir::State \"{0}\";\n\
         Dir::State::lists \"{0}/lists\"; Dir::State::status \"{0}/status\"; Dir::Cache \"{0}\"; Dir::Log \"{0}/log\";\n\
         Dir::Etc::sourcelist \"{0}/sources.list\"; Dir::Etc::sourceparts \"{0}/log\";\n\
         Dir::Etc::parts \"{0}/log\"; APT::Update::Post-Invoke-Success \"\"; Debug::NoLocking \"1\";\n",
        home.path().display()
    );
    fs_err::write(path("apt.conf"), config).expect("writable");
    apt.env("APT_CONFIG", path("apt.conf"));
    let (code, output, errors) = run(apt.args(["--error-on=any", "update"]));
    assert_eq!((code, errors.as_str()), (0, ""), "{output}");
    let mut apt = judge("apt-get").expect("it was there a moment ago");
    let (code, output, errors) =
        run(apt.env("APT_CONFIG", path("apt.conf")).args(["--download-only", "--yes", "install", "a"]));
    assert_eq!(code, 0, "{output}{errors}");
    let Some(mut dpkg_deb) = judge("dpkg-deb") else { return };
    let file = archive.root().join("pool/main/a/a/a_2.0-1_amd64.deb");
    let (code, output, errors) = run(dpkg_deb.arg("--contents").arg(file));
    assert_eq!(code, 0, "{errors}");
    assert!(output.contains("-rw-r--r-- root/root        10 1970-01-01 00:00 ./usr/bin/a"), "{output}");
}
