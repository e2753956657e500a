//! Uploads: what is signed, what is sent, and what is refused before.

use bytes::Bytes;
use http::Request;
use proptest::prelude::*;
use yuanfen_core::{
    Ambient, BuildError, Effect, ErrorKind, FixedAmbient, Operation, OperationExt as _, Provider as _, UnixTime,
};
use yuanfen_wechat_v3::ops::{UploadComplaintImage, UploadImage, UploadMarketingImage, UploadVideo};
use yuanfen_wechat_v3::{Account, MediaFile};

use crate::far_side::{account, ambient, now, reply, wrong_field};

/// One part of a form, read by hand.
pub(crate) struct Part {
    headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while let Some(position) = rest.windows(at.len()).position(|window| window == at) {
        pieces.push(&rest[..position]);
        rest = &rest[position + at.len()..];
    }
    pieces.push(rest);
    pieces
}

/// The two parts of an upload, cut at the boundary that the header names.
pub(crate) fn parts(request: &Request<Bytes>) -> (Part, Part) {
    let content_type = request.headers()["content-type"].to_str().unwrap();
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    assert!(boundary.len() <= 70);
    assert!(
        boundary
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    );
    // Every delimiter but the first has a line break in front of it.
    let body = [b"\r\n", request.body().as_ref()].concat();
    let pieces = split(&body, format!("\r\n--{boundary}").as_bytes());
    assert_eq!(pieces.len(), 4, "two parts, nothing before and the end behind them");
    assert_eq!((pieces[0], pieces[3]), (&b""[..], &b"--\r\n"[..]));
    let part = |piece: &[u8]| {
        let text = piece.strip_prefix(b"\r\n").unwrap();
        let end = text.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let headers = std::str::from_utf8(&text[..end]).unwrap();
        Part {
            headers: headers.split("\r\n").map(str::to_owned).collect(),
            body: text[end + 4..].to_vec(),
        }
    };
    (part(pieces[1]), part(pieces[2]))
}

fn png() -> MediaFile {
    MediaFile::new("wechatpay_logo.png", &b"\x89PNG\r\n\x1a\n\r\n--\x00\xff"[..])
}

fn build_error<O: Operation<Provider = Account>>(operation: &O) -> BuildError {
    match operation.encode(&account(), &ambient()) {
        Err(error) => error,
        Ok(_) => panic!("accepted"),
    }
}

#[test]
fn sends_the_description_first_and_the_file_as_it_is() {
    let request = UploadImage::new(png()).request(&account(), &ambient()).unwrap();
    assert_eq!(request.uri().path(), "/v3/merchant/media/upload");
    assert_eq!(request.method(), http::Method::POST);
    assert_eq!(request.headers()["accept"], "application/json");
    let (meta, file) = parts(&request);
    assert_eq!(
        meta.headers,
        [
            "Content-Disposition: form-data; name=\"meta\"",
            "Content-Type: application/json"
        ]
    );
    // printf '\211PNG\r\n\032\n\r\n--\000\377' | sha256sum
    let sha256 = "862be96eb73cd443ab3de22a1a027bd3c925df37a3b6f8e9b6132c45506be07b";
    assert_eq!(
        String::from_utf8(meta.body).unwrap(),
        format!("{{\"filename\":\"wechatpay_logo.png\",\"sha256\":\"{sha256}\"}}")
    );
    assert_eq!(
        file.headers,
        [
            "Content-Disposition: form-data; name=\"file\"; filename=\"wechatpay_logo.png\"",
            "Content-Type: image/png"
        ]
    );
    assert_eq!(file.body, png().bytes);
}

/// What is signed ends with the very bytes of the first part; the file is not in it.
#[test]
fn signs_the_description_alone() {
    let message = UploadImage::new(png()).encode(&account(), &ambient()).unwrap();
    let draft = account().draft(message, &ambient()).unwrap();
    let text = draft.text().to_vec();
    let request = draft.finish("c2ln").unwrap();
    let (meta, _) = parts(&request);
    let lines: Vec<_> = text.split(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), 6);
    assert_eq!((lines[0], lines[1]), (&b"POST"[..], &b"/v3/merchant/media/upload"[..]));
    assert_eq!((lines[4], lines[5]), (&*meta.body, &b""[..]));
}

#[test]
fn each_kind_of_file_goes_to_its_endpoint() {
    let path = |request: Request<Bytes>| request.uri().path().to_owned();
    let sent = |operation: &dyn Fn() -> Request<Bytes>| path(operation());
    let (account, ambient) = (account(), ambient());
    let video = MediaFile::new("a.MP4", "v");
    assert_eq!(
        sent(&|| UploadVideo::new(video.clone()).request(&account, &ambient).unwrap()),
        "/v3/merchant/media/video_upload"
    );
    assert_eq!(
        sent(&|| UploadMarketingImage::new(png()).request(&account, &ambient).unwrap()),
        "/v3/marketing/favor/media/image-upload"
    );
    assert_eq!(
        sent(&|| UploadComplaintImage::new(png()).request(&account, &ambient).unwrap()),
        "/v3/merchant-service/images/upload"
    );
    for effect in [
        UploadImage::ROUTE.effect,
        UploadVideo::ROUTE.effect,
        UploadMarketingImage::ROUTE.effect,
        UploadComplaintImage::ROUTE.effect,
    ] {
        assert_eq!(effect, Effect::Repeatable);
    }
}

#[test]
fn names_the_type_of_every_kind_of_file() {
    for (name, media_type) in [
        ("a.jpg", "image/jpeg"),
        ("a.b.BMP", "image/bmp"),
        ("图.Png", "image/png"),
    ] {
        let request = UploadImage::new(MediaFile::new(name, "x")).request(&account(), &ambient());
        let (_, file) = parts(&request.unwrap());
        assert_eq!(file.headers[1], format!("Content-Type: {media_type}"), "{name}");
        // Raw UTF-8, not an encoded word.
        assert!(file.headers[0].ends_with(&format!("; filename=\"{name}\"")), "{name}");
    }
    for ending in "avi wmv mpeg mp4 mov mkv flv f4v m4v rmvb".split(' ') {
        let file = MediaFile::new(format!("a.{ending}"), "x");
        let request = UploadVideo::new(file.clone()).request(&account(), &ambient()).unwrap();
        let (_, part) = parts(&request);
        assert!(!part.headers[1].contains("octet-stream"), "{ending}");
        assert_eq!(
            build_error(&UploadImage::new(file)).field(),
            Some("filename"),
            "{ending}"
        );
    }
}

#[test]
fn refuses_names_that_cannot_be_written_and_endings_that_are_not_taken() {
    let long = format!("{}.png", "n".repeat(125));
    for name in [
        "",
        "png",
        "a.gif",
        "a.png.exe",
        "a.png ",
        "a\".png",
        "a\\.png",
        "a\r\n.png",
        "a\n.png",
        "a\0.png",
        "\u{1f600}.png",
        &long,
    ] {
        let file = MediaFile::new(name, "x");
        assert_eq!(
            build_error(&UploadImage::new(file.clone())).field(),
            Some("filename"),
            "{name:?}"
        );
        assert_eq!(
            build_error(&UploadVideo::new(file)).field(),
            Some("filename"),
            "{name:?}"
        );
    }
    let longest = MediaFile::new(&long[1..], "x");
    assert!(UploadImage::new(longest).encode(&account(), &ambient()).is_ok());
}

#[test]
fn holds_files_to_the_size_of_their_endpoint() {
    let of = |name: &str, length: usize| MediaFile::new(name, vec![0_u8; length]);
    const MB: usize = 1024 * 1024;
    assert!(
        UploadImage::new(of("a.png", 2 * MB))
            .encode(&account(), &ambient())
            .is_ok()
    );
    assert!(
        UploadVideo::new(of("a.mp4", 5 * MB))
            .encode(&account(), &ambient())
            .is_ok()
    );
    for error in [
        build_error(&UploadImage::new(of("a.png", 2 * MB + 1))),
        build_error(&UploadMarketingImage::new(of("a.png", 2 * MB + 1))),
        build_error(&UploadComplaintImage::new(of("a.png", 2 * MB + 1))),
        build_error(&UploadVideo::new(of("a.mp4", 5 * MB + 1))),
        build_error(&UploadImage::new(of("a.png", 0))),
    ] {
        assert_eq!(error.field(), Some("file"), "{error}");
    }
}

/// A source of randomness that has run dry.
struct Stuck(FixedAmbient);

impl Ambient for Stuck {
    fn now(&self) -> UnixTime {
        self.0.now()
    }

    fn fill(&self, out: &mut [u8]) {
        out.fill(0);
    }
}

/// A boundary inside the file would end the file there.
#[test]
fn a_boundary_never_occurs_in_what_it_bounds() {
    let upload = |file: MediaFile, ambient: &dyn Ambient| UploadImage::new(file).request(&account(), ambient);
    let boundary = |request: &Request<Bytes>| {
        let header = request.headers()["content-type"].to_str().unwrap().to_owned();
        header.split_once("boundary=").unwrap().1.to_owned()
    };
    let first = upload(png(), &FixedAmbient::at(0)).unwrap();
    // The same randomness again, and a file that holds what it makes: another boundary is drawn.
    let trap = MediaFile::new("a.png", format!("x\r\n--{}--\r\n", boundary(&first)));
    let second = upload(trap.clone(), &FixedAmbient::at(0)).unwrap();
    assert_ne!(boundary(&first), boundary(&second));
    assert_eq!(parts(&second).1.body, trap.bytes);
    // Where nothing else can be drawn, nothing is sent.
    let stuck = Stuck(FixedAmbient::at(0));
    let only = boundary(&upload(png(), &stuck).unwrap());
    let error = upload(MediaFile::new("a.png", only), &stuck).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Build(BuildError::Encode(_))),
        "{error:?}"
    );
}

#[test]
fn reads_what_names_the_file_from_now_on() {
    let image = UploadImage::new(png());
    let answer = reply(
        200,
        r#"{"media_id":"H1ihR9JUtVj-J7CJqBUY5ZOrG_Je75H-rKhTG7FUmg9s","new":1}"#,
    );
    let uploaded = image.reply(&account(), &answer, now()).unwrap();
    assert_eq!(uploaded.media_id, "H1ihR9JUtVj-J7CJqBUY5ZOrG_Je75H-rKhTG7FUmg9s");
    assert_eq!(uploaded.extra.get("new"), Some("1"));
    assert_eq!(uploaded.raw(), answer.body());
    let coupon = UploadMarketingImage::new(png());
    let answer = reply(200, r#"{"media_url":"https://qpic.cn/xxx"}"#);
    assert_eq!(
        coupon.reply(&account(), &answer, now()).unwrap().media_url,
        "https://qpic.cn/xxx"
    );
    for (body, image_field, coupon_field) in [
        ("{}", "media_id", "media_url"),
        (r#"{"media_id":"","media_url":""}"#, "media_id", "media_url"),
        (r#"{"media_id":1,"media_url":null}"#, "media_id", "media_url"),
    ] {
        let opened = reply(200, body);
        let open = || yuanfen_core::Opens::open(&account(), &opened, now()).unwrap();
        assert_eq!(wrong_field(&image.decode(&account(), open()).unwrap_err()), image_field);
        assert_eq!(
            wrong_field(&coupon.decode(&account(), open()).unwrap_err()),
            coupon_field
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is in a file, delimiters and line breaks among it, comes out of the form as it went in.
    #[test]
    fn every_file_comes_out_as_it_went_in(
        content in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'-'), Just(b'\r'), Just(b'\n')], 1..200),
        name in "[^\\pC\"\\\\]{1,20}",
        seed in any::<u32>(),
    ) {
        prop_assume!(name.chars().all(|character| character.len_utf8() <= 3));
        let file = MediaFile::new(format!("{name}.jpg"), content.clone());
        let upload = UploadImage::new(file);
        let request = upload.request(&account(), &FixedAmbient::at(1_700_000_000 + i64::from(seed))).unwrap();
        let (meta, part) = parts(&request);
        prop_assert_eq!(&part.body, &content);
        let meta: serde_json::Value = serde_json::from_slice(&meta.body).unwrap();
        prop_assert_eq!(meta["filename"].as_str(), Some(&*format!("{name}.jpg")));
        let disposition = format!("filename=\"{name}.jpg\"");
        prop_assert!(part.headers[0].ends_with(&disposition));
    }
}
