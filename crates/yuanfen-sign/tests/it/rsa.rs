//! RSA: signatures, encryption, and the sizes that are taken, on whichever backend is on.

#[cfg(any(feature = "aws-lc", feature = "pure-rust"))]
mod modern {
    use yuanfen_core::{Decrypt, FixedAmbient, Sign as _, SignatureError, Verify as _};
    use yuanfen_sign::{AeadError, Certificate, RsaSigningKey, RsaVerifyingKey};
    use yuanfen_testkit::json;

    use crate::{key_text, vectors};

    fn signing(name: &str) -> RsaSigningKey {
        RsaSigningKey::parse(&key_text(name)).unwrap()
    }

    fn verifying(name: &str) -> RsaVerifyingKey {
        RsaVerifyingKey::parse(&key_text(name)).unwrap()
    }

    /// The cases of these types: SHA-256 with keys of 2048 bits and more.
    fn is_modern(case: &yuanfen_testkit::Case<'_>) -> bool {
        case.text("digest") == "sha256" && !case.key_name("key").contains("1024")
    }

    #[test]
    fn signs_as_the_vectors_say() {
        let vectors = vectors();
        let mut run_cases = 0;
        for case in vectors.of("rsa_sign").into_iter().filter(is_modern) {
            let run = case.run();
            let text = case.expected_text().unwrap();
            let signature = RsaSigningKey::parse(case.text("key"))
                .unwrap()
                .sign(text, &FixedAmbient::at(0))
                .unwrap();
            run.text(text).signature(&signature).done();
            run_cases += 1;
        }
        assert!(run_cases >= 2);
    }

    #[test]
    fn verifies_as_the_vectors_say() {
        let vectors = vectors();
        let mut run_cases = 0;
        for case in vectors.of("rsa_verify").into_iter().filter(is_modern) {
            let run = case.run();
            let key = RsaVerifyingKey::parse(case.text("key")).unwrap();
            let wrong = case.refused().is_some();
            let text = if wrong {
                case.bytes("text")
            } else {
                case.expected_text().unwrap().to_vec()
            };
            let verdict = key.verify(&text, case.text("signature"));
            if wrong {
                run.refused(verdict, |error| match error {
                    SignatureError::Mismatch => "mismatch".to_owned(),
                    other => panic!("{other:?}"),
                });
            } else {
                run.at(yuanfen_testkit::Stage::Text, verdict);
                run.text(text).done();
            }
            run_cases += 1;
        }
        assert!(run_cases >= 6);
    }

    #[test]
    fn opens_oaep_as_the_vectors_say() {
        for case in vectors().of("oaep") {
            let key = RsaSigningKey::parse(case.text("key")).unwrap();
            let opened = key
                .decrypt_oaep_sha1(case.text("ciphertext"), &FixedAmbient::at(0))
                .unwrap();
            case.run().decoded(&json!(std::str::from_utf8(&opened).unwrap())).done();
        }
    }

    /// The same through the trait that accounts take, so that a key elsewhere can stand in.
    #[test]
    fn decrypts_as_the_trait_says() {
        for case in vectors().of("oaep") {
            let key = RsaSigningKey::parse(case.text("key")).unwrap();
            let key: &dyn Decrypt = &key;
            let opened = key.decrypt(case.text("ciphertext"), &FixedAmbient::at(0)).unwrap();
            assert!(!opened.expose().is_empty(), "{case}");
            let text = std::str::from_utf8(opened.expose()).unwrap();
            case.run().decoded(&json!(text)).done();
            let error = key.decrypt("AAAA", &FixedAmbient::at(0)).unwrap_err();
            assert!(std::error::Error::source(&error).is_some(), "{error}");
        }
    }

    #[test]
    fn the_certificate_of_a_case_encrypts_what_its_key_opens() {
        let vectors = vectors();
        for case in vectors.of("oaep").into_iter().filter(|case| case.has("certificate")) {
            let certificate = Certificate::parse(case.text("certificate")).unwrap();
            let sealed = RsaVerifyingKey::of_certificate(&certificate)
                .unwrap()
                .encrypt_oaep_sha1("张三".as_bytes(), &FixedAmbient::at(0))
                .unwrap();
            let key = RsaSigningKey::parse(case.text("key")).unwrap();
            let opened = key.decrypt_oaep_sha1(&sealed, &FixedAmbient::at(1)).unwrap();
            assert_eq!(&*opened, "张三".as_bytes(), "{case}");
        }
    }

    #[test]
    fn refuses_every_tampered_signature_and_text() {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let key = signing("openssl_2048");
        let (text, ambient) = (b"a\nb\n".as_slice(), FixedAmbient::at(0));
        let signature = key.sign(text, &ambient).unwrap();
        let public = key.verifying_key().unwrap();
        assert_eq!(public.verify(text, &signature), Ok(()));
        let octets = STANDARD.decode(&signature).unwrap();
        for at in (0..octets.len()).step_by(5).chain([octets.len() - 1]) {
            let mut wrong = octets.clone();
            wrong[at] ^= 1;
            assert_eq!(
                public.verify(text, &STANDARD.encode(wrong)),
                Err(SignatureError::Mismatch)
            );
        }
        for wrong in [b"a\nb".as_slice(), b"a\nb\n\n", b"", b"A\nb\n"] {
            assert_eq!(public.verify(wrong, &signature), Err(SignatureError::Mismatch));
        }
        assert_eq!(
            verifying("go_public").verify(text, &signature),
            Err(SignatureError::Mismatch)
        );
    }

    #[test]
    fn a_probe_and_whatever_is_no_base64_is_a_mismatch_like_any_other() {
        let key = signing("openssl_2048");
        let text = b"text";
        let good = key.sign(text, &FixedAmbient::at(0)).unwrap();
        let public = key.verifying_key().unwrap();
        for wrong in [
            "".to_owned(),
            "=".to_owned(),
            "WECHATPAY/SIGNTEST/3b5bd3c3".to_owned(),
            format!("WECHATPAY/SIGNTEST/{good}"),
            good.trim_end_matches('=').to_owned(),
            format!("{good}\n"),
            format!(" {good}"),
            good.replace('+', " "),
            good.replace('/', "_").replace('+', "-"),
            "AAAA".to_owned(),
            "签名".to_owned(),
            good.repeat(2),
        ] {
            if wrong != good {
                assert_eq!(public.verify(text, &wrong), Err(SignatureError::Mismatch), "{wrong}");
            }
        }
    }

    #[test]
    fn a_sha1_signature_is_no_sha256_signature() {
        // openssl dgst -sha1 -sign openssl_1024: another digest and a key of another size.
        let vectors = vectors();
        let case = vectors.case("openssl-verify-1024-sha1");
        let key = verifying("openssl_2048_public");
        assert!(
            key.verify(case.expected_text().unwrap(), case.text("signature"))
                .is_err()
        );
    }

    #[test]
    fn oaep_with_another_hash_does_not_open() {
        // openssl pkeyutl -encrypt -pubin -inkey openssl_2048_public -pkeyopt rsa_padding_mode:oaep
        //     -pkeyopt rsa_oaep_md:sha256 -in plain | base64 -w0
        let sealed = "UG/6Cqshsj+bxC8XukyMQhDd7szwlA9TKJdMSs8WlUP4cO2u5GSksv09xh7sD3/har52VywVFSPqA/Roitkhr3UKZ91SFfGtQG0JoUinsyIsuWvF6v4mKJzkPsG/zSDQ5/KvHHiunmGQcYgrvgDC+DJ9gcKTmkxvhgLCIGIQ4tQH6XV4Wz1/JhAL5cEHauxw9j1F2Ev81aLBj0Dk6xTWH/wkdJaFVFhshqFANwxwt1YDLhogwFsyNZ41PmHSfjqtgZisaFZkEQqNou9f+6RHCyrMVWBL67bg8yM0GbAbBhyp9GnNBRZmIFt5Zdb9aOody4RN2/BH5XCvEHEywdg8dA==";
        let opened = signing("openssl_2048").decrypt_oaep_sha1(sealed, &FixedAmbient::at(0));
        assert_eq!(opened.unwrap_err(), AeadError::Refused);
    }

    #[test]
    fn oaep_takes_214_octets_under_2048_bits_and_not_one_more() {
        let (key, ambient) = (signing("openssl_2048"), FixedAmbient::at(0));
        let public = key.verifying_key().unwrap();
        for length in [0, 1, 213, 214] {
            let plain = vec![7; length];
            let sealed = public.encrypt_oaep_sha1(&plain, &ambient).unwrap();
            assert_eq!(*key.decrypt_oaep_sha1(&sealed, &ambient).unwrap(), plain);
        }
        assert_eq!(
            public.encrypt_oaep_sha1(&[7; 215], &ambient).unwrap_err(),
            AeadError::Length
        );
        // Sealed anew each time: equal plaintexts are not seen to be equal.
        assert_ne!(
            public.encrypt_oaep_sha1(b"a", &ambient).unwrap(),
            public.encrypt_oaep_sha1(b"a", &ambient).unwrap()
        );
    }

    #[test]
    fn every_failure_to_open_oaep_looks_alike() {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let (key, ambient) = (signing("openssl_2048"), FixedAmbient::at(0));
        let sealed = key.verifying_key().unwrap().encrypt_oaep_sha1(b"a", &ambient).unwrap();
        let mut octets = STANDARD.decode(&sealed).unwrap();
        octets[100] ^= 1;
        for wrong in [
            octets,
            vec![0; 256],
            vec![0xff; 256],
            vec![1; 255],
            vec![1; 257],
            Vec::new(),
        ] {
            let error = key.decrypt_oaep_sha1(&STANDARD.encode(wrong), &ambient).unwrap_err();
            assert_eq!(error, AeadError::Refused);
        }
        assert_eq!(
            signing("go_private").decrypt_oaep_sha1(&sealed, &ambient).unwrap_err(),
            AeadError::Refused
        );
        assert_eq!(
            key.decrypt_oaep_sha1("no base64", &ambient).unwrap_err(),
            AeadError::NotBase64
        );
    }
}

#[cfg(feature = "legacy-rsa")]
mod old {
    use yuanfen_core::{FixedAmbient, Sign as _, SignatureError, Verify as _};
    use yuanfen_sign::AeadError;
    use yuanfen_sign::legacy::{LegacyRsaSigningKey, LegacyRsaVerifyingKey, RsaDigest};
    use yuanfen_testkit::{Case, json};

    use crate::{key_text, vectors};

    fn digest(case: &Case<'_>) -> RsaDigest {
        match case.text("digest") {
            "sha1" => RsaDigest::Sha1,
            "sha256" => RsaDigest::Sha256,
            other => panic!("{case}: {other}"),
        }
    }

    #[test]
    fn signs_as_the_vectors_say_with_keys_of_either_size() {
        for case in vectors().of("rsa_sign") {
            let run = case.run();
            let text = case.expected_text().unwrap();
            let key = LegacyRsaSigningKey::parse(case.text("key"), digest(&case)).unwrap();
            run.text(text)
                .signature(&key.sign(text, &FixedAmbient::at(0)).unwrap())
                .done();
        }
    }

    #[test]
    fn verifies_as_the_vectors_say_up_to_4096_bits() {
        let vectors = vectors();
        for case in vectors.of("rsa_verify") {
            if case.key_name("key").contains("8192") {
                case.run().text(case.expected_text().unwrap()).done();
                assert!(LegacyRsaVerifyingKey::parse(case.text("key"), digest(&case)).is_err());
                continue;
            }
            let run = case.run();
            let key = LegacyRsaVerifyingKey::parse(case.text("key"), digest(&case)).unwrap();
            if case.refused().is_some() {
                let verdict = key.verify(&case.bytes("text"), case.text("signature"));
                run.refused(verdict, |error| match error {
                    SignatureError::Mismatch => "mismatch".to_owned(),
                    other => panic!("{other:?}"),
                });
            } else {
                let text = case.expected_text().unwrap();
                run.at(yuanfen_testkit::Stage::Text, key.verify(text, case.text("signature")));
                run.text(text).done();
            }
        }
    }

    #[test]
    fn opens_pkcs1v15_as_the_vectors_say() {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        for case in vectors().of("pkcs1v15_decrypt") {
            let key = LegacyRsaSigningKey::parse(case.text("key"), RsaDigest::Sha1).unwrap();
            let block = STANDARD.decode(case.text("ciphertext")).unwrap();
            let opened = key.decrypt_pkcs1v15(&block, &FixedAmbient::at(0));
            let run = case.run();
            if case.refused().is_some() {
                run.refused(opened, |error| match error {
                    AeadError::Length => "ciphertext-length".to_owned(),
                    AeadError::Refused => "mismatch".to_owned(),
                    other => panic!("{other:?}"),
                });
            } else {
                run.decoded(&json!(std::str::from_utf8(&opened.unwrap()).unwrap()))
                    .done();
            }
        }
    }

    #[test]
    fn refuses_the_other_digest_another_key_and_another_text() {
        let key = LegacyRsaSigningKey::parse(&key_text("openssl_1024"), RsaDigest::Sha1).unwrap();
        let signature = key.sign(b"text", &FixedAmbient::at(0)).unwrap();
        let public = key.verifying_key();
        assert_eq!(public.verify(b"text", &signature), Ok(()));
        assert!(
            public
                .clone()
                .with_digest(RsaDigest::Sha256)
                .verify(b"text", &signature)
                .is_err()
        );
        assert!(public.verify(b"Text", &signature).is_err());
        let other = LegacyRsaVerifyingKey::parse(&key_text("openssl_2048_public"), RsaDigest::Sha1).unwrap();
        assert_eq!(other.verify(b"text", &signature), Err(SignatureError::Mismatch));
        for wrong in ["", "no base64", "AAAA", &signature[1..], &format!("{signature}\n")] {
            assert_eq!(public.verify(b"text", wrong), Err(SignatureError::Mismatch), "{wrong}");
        }
    }

    #[test]
    fn changes_digest_and_keeps_the_key() {
        let sha1 = LegacyRsaSigningKey::parse(&key_text("openssl_1024"), RsaDigest::Sha1).unwrap();
        let sha256 = sha1.clone().with_digest(RsaDigest::Sha256);
        let signature = sha256.sign(b"text", &FixedAmbient::at(0)).unwrap();
        assert!(sha1.verifying_key().verify(b"text", &signature).is_err());
        assert_eq!(
            sha1.verifying_key()
                .with_digest(RsaDigest::Sha256)
                .verify(b"text", &signature),
            Ok(())
        );
    }

    #[test]
    fn a_block_holds_eleven_octets_less_than_the_modulus() {
        let (key, ambient) = (
            LegacyRsaSigningKey::parse(&key_text("openssl_1024"), RsaDigest::Sha1).unwrap(),
            FixedAmbient::at(0),
        );
        let public = key.verifying_key();
        assert_eq!((key.block_len(), public.block_len()), (128, 128));
        for length in [0, 1, 116, 117] {
            let block = public.encrypt_pkcs1v15(&vec![5; length], &ambient).unwrap();
            assert_eq!(key.decrypt_pkcs1v15(&block, &ambient).unwrap().len(), length);
        }
        assert_eq!(
            public.encrypt_pkcs1v15(&[5; 118], &ambient).unwrap_err(),
            AeadError::Length
        );
        let mut block = public.encrypt_pkcs1v15(b"a", &ambient).unwrap();
        for length in [0, 1, 127, 129] {
            assert_eq!(
                key.decrypt_pkcs1v15(&vec![1; length], &ambient).unwrap_err(),
                AeadError::Length
            );
        }
        block[64] ^= 1;
        assert_eq!(key.decrypt_pkcs1v15(&block, &ambient).unwrap_err(), AeadError::Refused);
        assert_eq!(
            key.decrypt_pkcs1v15(&[0xff; 128], &ambient).unwrap_err(),
            AeadError::Refused
        );
    }
}
