use yuanfen_sandbox::Sandbox;

use crate::shop::raw;

#[tokio::test]
async fn answers_on_a_loopback_port() {
    let sandbox = Sandbox::start().await.unwrap();
    let answer = raw(
        sandbox.address(),
        "POST /pay/orderquery HTTP/1.1\r\nhost: x\r\ncontent-length: 11\r\nconnection: close\r\n\r\n<xml></xml>",
    )
    .await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("</xml>"), "{answer}");
}
