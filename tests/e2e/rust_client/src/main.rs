//! Runs the client of the seed document (`seed_client.rs`, to the letter): registers
//! once, prints the id, and ends: `seed-client URL NAME HOST PORT`.

mod seed_client;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().collect();
    let mut client = seed_client::ServiceRegistry::new(words[1].clone());
    let port: u16 = words[4].parse()?;
    println!("{}", client.register(&words[2], &words[3], port).await?);
    Ok(())
}
