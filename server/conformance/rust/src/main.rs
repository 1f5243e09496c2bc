//! The program around the official Rust client. It speaks the line protocol of ../client on its standard input and output.

mod consuming;
mod content;
mod producing;
mod wire;

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use rocketmq::conf::ClientOption;
use rocketmq::error::ClientError;
use tokio::io::{AsyncBufReadExt, BufReader};

use consuming::Consuming;
use content::Series;
use producing::Producing;
use wire::{Answer, Args};

/// What an operation comes to.
type Outcome = Result<Answer, Box<dyn Error + Send + Sync>>;

struct Driver {
    producing: Producing,
    consuming: Consuming,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut options = ClientOption::default();
    options.set_access_url(env::var("CLIENT_ENDPOINT")?);
    options.set_enable_tls(env::var("CLIENT_TLS")? == "true");
    options.set_timeout(Duration::from_millis(env::var("CLIENT_REQUEST_TIMEOUT")?.parse()?));
    let driver = Arc::new(Driver { producing: Producing::new(options.clone()), consuming: Consuming::new(options) });

    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let driver = driver.clone();
        tokio::spawn(async move { driver.answer(Arc::new(Args::parse(&line))).await });
    }
    std::process::exit(0) // whatever still waits
}

impl Driver {
    async fn answer(&self, args: Arc<Args>) {
        let answer = self.operation(args.clone()).await.unwrap_or_else(|e| {
            let code = e.downcast_ref::<ClientError>().map_or("", code);
            Answer::default().add("error", format_args!("{e:?}")).add("code", code)
        });
        println!("{}", answer.add("call", args.text("call")).line());
    }

    async fn operation(&self, args: Arc<Args>) -> Outcome {
        match args.text("op") {
            "fingerprint" => Ok(Answer::default().add("fingerprint", Series::of(&args).at(args.number("index")).fingerprint())),
            "producer" => self.producing.start(&args).await,
            "send" => self.producing.send(&args).await,
            "send-series" => self.producing.send_series(args).await,
            "transact" => self.producing.transact(&args).await,
            "asked" => Ok(self.producing.asked(&args)),
            "simple" => self.consuming.start_simple(&args).await,
            "receive" => self.consuming.receive(&args).await,
            "ack" => self.consuming.ack(&args).await,
            "stop" => {
                self.producing.close().await;
                self.consuming.close().await;
                Ok(Answer::default())
            }
            op => Err(format!("no such operation: {op}").into()),
        }
    }
}

/// The name of the proxy's Status code in an error of the client, or nothing.
fn code(error: &ClientError) -> &str {
    error.context().iter().find(|(name, _)| *name == "code").map_or("", |(_, code)| code)
}
