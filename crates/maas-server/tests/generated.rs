//! The code that is made from `proto/` is the one that is checked in.
//!
//! After a change to `proto/` this writes it anew:
//!
//! ```text
//! MAAS_WRITE_GENERATED=1 cargo test -p maas-server --test generated
//! ```
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::{env, fs};

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn generated_code_is_current() {
    let made = tempfile::tempdir().unwrap();
    generate(made.path());
    let checked_in = Path::new(CRATE).join("src/grpc/generated");
    for file in ["inference.rs", "descriptors.bin"] {
        let made = fs::read(made.path().join(file)).unwrap();
        let checked_in = checked_in.join(file);
        if env::var_os("MAAS_WRITE_GENERATED").is_some() {
            fs::write(&checked_in, &made).unwrap();
        }
        assert!(
            fs::read(&checked_in).is_ok_and(|found| found == made),
            "{} is not what proto/ says: run this test with MAAS_WRITE_GENERATED=1",
            checked_in.display()
        );
    }
}

fn generate(folder: &Path) {
    let proto = Path::new(CRATE).join("proto");
    let mut compiler = protox::Compiler::new([&proto]).unwrap();
    compiler.open_file("open_inference.proto").unwrap();
    // Comments lie in the source information, which only the generated code needs.
    let descriptors = compiler.encode_file_descriptor_set();
    fs::write(folder.join("descriptors.bin"), descriptors).unwrap();
    compiler.include_source_info(true);
    tonic_prost_build::configure()
        .out_dir(folder)
        .build_transport(false)
        .bytes(".")
        .btree_map(".")
        .compile_fds(compiler.file_descriptor_set())
        .unwrap();
}
