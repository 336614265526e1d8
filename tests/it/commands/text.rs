//! Commands that read text and write text.

use super::judged::check;

const FILES: &str = r"
    stdin one two\nthree four five\n\nsix\n
    passwd root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\nsys:x:3:3:sys:/dev:/usr/sbin/nologin\n
    numbers 10\n9\n2\n-3\n2.5\n1e2\n 7\n\n010\nabc\n+4\n
    versions 1.10\n1.9\n1.2-3\n1.2~rc1\n1.2\nfoo-1.0.tar\nfoo-1.0.1.tar\nfoo-1.0a.tar\n
    table b 2 x\na 10 y\nc 1 x\na 9 z\nB 2 w\n\n
    dups a\na\nb\nA\na\na\nc\n
    tabs a\tb\tc\nd\te\nf\n
    crlf a\r\nb\r\n
    utf8 \xc3\xa4\xc3\xb6\xc3\xbc\nabc\n\xff\n
    nul a\x00b\x00a\x00
    nonl last line
    empty
    d.txt alpha\n
    l -> d.txt
    conf # comment\nkey=value\n  indented = yes\n\n[global]\nworkgroup = X\nGRUB_CMDLINE_LINUX=\x22quiet\x22\n#GRUB_DISABLE=true\nLANG=\x22C.UTF-8\x22\n
    odd a.b[c]^d$e\\f/g?h+i*j'k\x22l`m&n@o\nmodel*pc105*x\n%period%lbracket%slash%\n
    odd2 a\naa\nab\nb\n*\n*a\n+\n?\n(\n)\na)\na)b\n[\n]\na]\n[]\n\\\na\\\n-\n\n^\n$\na^*\n{\na{2}\nd\ne\nc\n^{2}\n{2}\n:\n/\n,\n
    libs ./a/b\n/lib/x86/tls/x/libc.so\n/usr/lib/x86_64-linux-gnu/i686/libm.so.6\n/usr/lib/python3.11/abc.py\n
    ldd \tlinux-gate.so.1 (0x1)\n\tlibc.so.6 => /lib/libc.so.6 (0x2)\n\t/lib64/ld-linux.so.2 (0x3)\n\tnothing\n
    abcd abcd\nabb\nab\nfoobarbar\nxx\n
    script.sed s/root/ROOT/p\n1d\n/bin/{\ns/x/Y/\n}\n
    0400 ro a\n
    h = d.txt
    prog.awk BEGIN { FS = \x22:\x22 }\n# a comment\n{ n[$7]++ }\nEND { for (k in n) print k, n[k] | \x22sort\x22 }\n
    nums 0x1A 0x 0 00 -0 +0 0.0 . .0 0. 1e3 1e 1e+ e5 inf nan +inf -inf\n+nan -nan infinity 0x0 -0x1A +26 26.0 2.6e1 026 26x 1e400 1e-400\n0e0 +-1 --1 1_0 0X1A 26. nano INF 0x12 0xA1 -0x10 0x1.8 0x1A. 0x1p1 +0x10 1e-310\n
    blanks 26\t|\x0b26|26\x0b|26\r|\x0c26|26 | 26|\x2026\x20\x20|- 26\n
    para a b\nc d\n\n\ne f\n\n
    d/
    d/one alpha\nbeta\n
    d/two beta\ngamma\n
    r/
    r/one beta\n
    r/here -> .
";

#[test]
fn columns() {
    check(FILES, include_str!("text/columns.txt"));
}

#[test]
fn order() {
    check(FILES, include_str!("text/order.txt"));
}

#[test]
fn misc() {
    check(FILES, include_str!("text/misc.txt"));
}

#[test]
fn expr() {
    check(FILES, include_str!("text/expr.txt"));
}

#[test]
fn getopt() {
    check(FILES, include_str!("text/getopt.txt"));
}

#[test]
fn grep() {
    check(FILES, include_str!("text/grep.txt"));
}

#[test]
fn shell() {
    check(FILES, include_str!("text/test.txt"));
}

#[test]
fn sed() {
    check(FILES, include_str!("text/sed.txt"));
}

#[test]
fn awk() {
    check(FILES, include_str!("text/awk.txt"));
}

/// Numbers, conversions, the functions on texts, patterns.
#[test]
fn awk_values() {
    check(FILES, include_str!("text/awk-values.txt"));
}

/// Statements, input and output, operands, fields.
#[test]
fn awk_language() {
    check(FILES, include_str!("text/awk-language.txt"));
}

#[test]
fn awk_idioms() {
    check(FILES, include_str!("text/awk-idioms.txt"));
}

/// Formats, patterns and expressions drawn by chance.
#[test]
fn awk_drawn() {
    check(FILES, include_str!("text/awk-drawn.txt"));
}
